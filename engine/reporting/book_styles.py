"""Order, label, colour and line style of the books of a run: the same on every chart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK, name_benchmarks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.runs.documents.strategy_settings import PartSettings
    from engine.runs.run import Run

__all__ = [
    "BUY_AND_HOLD",
    "COLOURED_KINDS",
    "STRATEGY",
    "BookStyle",
    "book_style",
    "get_book_styles",
    "ordered_book_styles",
]

STRATEGY = STRATEGY_BOOK
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
DASHES = 4
"""Line styles of the stylesheet; further books of one kind share the last one."""


@dataclass(frozen=True)
class BookStyle:
    """One book.

    Attributes:
        key: In metrics.json and in the tables.
        label: In headings and legends.
        detail: Its parameters; empty where it has none.
        hue: Class of its colour in the stylesheet: one for each kind.
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
    benchmarks = run.manifest.settings.benchmarks
    kinds = [benchmark.kind for benchmark in benchmarks]
    styles = {
        name: _make_style(
            name, kinds[index], kinds[: index + 1].count(kinds[index]), _parameters_text(benchmark)
        )
        for index, (name, benchmark) in enumerate(
            zip(name_benchmarks(kinds), benchmarks, strict=True)
        )
    }
    return tuple(styles.get(key) or book_style(key) for key in keys)


def ordered_book_styles(keys: Iterable[str]) -> tuple[BookStyle, ...]:
    """Books of these keys in one order, whatever order a JSON file has them in."""
    ranks = {key: rank for rank, key in enumerate(BOOK_LABELS)}
    return tuple(
        book_style(key)
        for key in sorted(keys, key=lambda key: (ranks.get(key, len(BOOK_LABELS)), key))
    )


def book_style(key: str) -> BookStyle:
    """The book of a key, its kind and number read from the key itself."""
    match = None if key in BOOK_LABELS else NUMBERED_KEY.fullmatch(key)
    kind, number = (match["kind"], int(match["number"])) if match else (key, 1)
    return _make_style(key, kind, number)


def _make_style(key: str, kind: str, number: int, detail: str = "") -> BookStyle:
    """The style of the `number`-th book of a kind; an unknown kind is its own label."""
    label = BOOK_LABELS.get(kind, kind) + (f" {number}" if number > 1 else "")
    hue = COLOURED_KINDS.index(kind) if kind in COLOURED_KINDS else len(COLOURED_KINDS)
    return BookStyle(key, label, detail, f"hue-{hue}", f"dash-{min(number, DASHES)}")


def _parameters_text(benchmark: PartSettings) -> str:
    parameters = benchmark.parameters.items()
    return ", ".join(f"{name} {value}".replace("_", " ") for name, value in parameters)
