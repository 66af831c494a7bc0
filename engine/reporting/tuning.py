"""What each window chose for itself, and how many configurations were tried for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.artifacts import Run


@dataclass(frozen=True)
class Tuning:
    """The table of choices.

    Attributes:
        tried: Configurations in all, as text.
        how: Splits, score and sampler, as text.
        places: What was tuned, a column each.
        rows: Window, its test span, configurations tried, and a value a place; the values of
            several fits one behind the other.
    """

    tried: str
    how: str
    places: tuple[str, ...]
    rows: tuple[tuple[str, str, str, tuple[str, ...]], ...]


def tuning_table(run: Run) -> Tuning | None:
    """Of a run whose strategy was tuned; None of any other."""
    told, tune = run.manifest.get("tuning"), run.manifest.get("strategy", {}).get("tune")
    if not told or not tune:
        return None
    places = tuple(sorted(tune["space"]))
    splits = tune["splits"]
    parts = [f"{name} {value}" for name, value in sorted(splits.items()) if name != "kind"]
    return Tuning(
        tried=formatting.count_of(told["trials"], "configuration"),
        how=f"{tune['metric']} over {splits['kind']} ({', '.join(parts)}), drawn by "
        f"{tune['sampler']}",
        places=places,
        rows=tuple(_row(window, places) for window in run.manifest["windows"]),
    )


def _row(
    window: Mapping[str, Any], places: Sequence[str]
) -> tuple[str, str, str, tuple[str, ...]]:
    fits = [fit for fit in window.get("fits") or () if "chosen" in fit]
    values = tuple(_values([fit["chosen"].get(place) for fit in fits]) for place in places)
    tried = formatting.COUNT(sum(fit["trials"] for fit in fits))
    return str(window["index"]), formatting.span(*window["test"]), tried, values


def _values(chosen: Sequence[object]) -> str:
    """Each different value once, in the order of the fits."""
    return "; ".join(dict.fromkeys(map(_value, chosen))) or formatting.MISSING


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
