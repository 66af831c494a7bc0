"""The books of a run as a reader meets them: order, name and colour, the same on every chart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.core.book_names import name_benchmarks
from engine.core.renamed_keys import with_current_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.runs.run import Run

STRATEGY = "strategy"
BUY_AND_HOLD = "buy_and_hold"

BOOK_LABELS = {
    STRATEGY: "Strategy",
    BUY_AND_HOLD: "Buy and hold",
    "ma_crossover": "MA crossover",
    "mean_reversion": "Mean reversion",
    "ridge": "Ridge",
    "persistence": "Persistence",
}
COLOURED_KINDS = tuple(BOOK_LABELS)
NUMBERED_KEY = re.compile(r"(?P<kind>.+)_(?P<number>[2-9]|[1-9][0-9]+)")


@dataclass(frozen=True)
class BookStyle:
    """One book.

    Attributes:
        key: In metrics.json and in the tables.
        label: In headings and legends.
        detail: Its parameters in words; empty where it has none.
        hue: Class of its colour in the stylesheet: one a kind.
        dash: Class of its line style: books of one kind share a colour and differ in dashes.
    """

    key: str
    label: str
    detail: str
    hue: str
    dash: str


def get_book_styles(run: Run) -> tuple[BookStyle, ...]:
    """All books of a run, the strategy first, the others in the order of the returns table."""
    keys = sorted(map(str, run.returns.columns), key=lambda key: key != STRATEGY)
    details = _benchmark_details(
        with_current_keys(run.manifest.get("strategy", {})).get("benchmarks") or ()
    )
    return tuple(book_style(key, details.get(key, "")) for key in keys)


def ordered_book_styles(keys: Iterable[str]) -> tuple[BookStyle, ...]:
    """Books of these keys in one order, whatever order a JSON file brought them in."""
    places = {key: place for place, key in enumerate(BOOK_LABELS)}
    return tuple(
        book_style(key) for key in sorted(keys, key=lambda key: (places.get(key, 99), key))
    )


def book_style(key: str, detail: str = "") -> BookStyle:
    """The book of a key; of a kind not known here, the key is its own label."""
    match = None if key in BOOK_LABELS else NUMBERED_KEY.fullmatch(key)
    kind, number = (match["kind"], int(match["number"])) if match else (key, 1)
    label = BOOK_LABELS.get(kind, kind) + (f" {number}" if number > 1 else "")
    hue = f"hue-{COLOURED_KINDS.index(kind) if kind in COLOURED_KINDS else len(COLOURED_KINDS)}"
    return BookStyle(key, label, detail, hue, f"dash-{min(number, 4)}")


def _benchmark_details(benchmarks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Book key to parameters in words."""
    names = name_benchmarks(str(benchmark.get("kind", "")) for benchmark in benchmarks)
    return {
        name: ", ".join(
            f"{key} {value}".replace("_", " ")
            for key, value in sorted(benchmark.items())
            if key != "kind" and isinstance(value, int | float | str)
        )
        for name, benchmark in zip(names, benchmarks, strict=True)
    }
