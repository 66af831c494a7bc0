"""What each window chose for itself, and how many configurations were tried for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.runs.run import Run


@dataclass(frozen=True)
class TuningTable:
    """The table of choices.

    Attributes:
        trial_count: Configurations in all, as text.
        procedure: Splits, score and sampler, as text.
        parameters: What was tuned, a column each.
        rows: Window, its test span, configurations tried, and a value a place; the values of
            several fits one behind the other.
    """

    trial_count: str
    procedure: str
    parameters: tuple[str, ...]
    rows: tuple[tuple[str, str, str, tuple[str, ...]], ...]


def make_tuning_table(run: Run) -> TuningTable | None:
    """Of a run whose strategy was tuned; None of any other."""
    told, tune = run.manifest.get("tuning"), run.manifest.get("strategy", {}).get("tune")
    if not told or not tune:
        return None
    places = tuple(sorted(tune["space"]))
    splits = tune["splits"]
    parts = [f"{name} {value}" for name, value in sorted(splits.items()) if name != "kind"]
    return TuningTable(
        trial_count=formatting.count_of(told["trials"], "configuration"),
        procedure=f"{tune['metric']} over {splits['kind']} ({', '.join(parts)}), drawn by "
        f"{tune['sampler']}",
        parameters=places,
        rows=tuple(_window_row(window, places) for window in run.manifest["windows"]),
    )


def _window_row(
    window: Mapping[str, Any], parameters: Sequence[str]
) -> tuple[str, str, str, tuple[str, ...]]:
    fits = [fit for fit in window.get("fits") or () if "chosen" in fit]
    values = tuple(
        _distinct_values_text([fit["chosen"].get(place) for fit in fits]) for place in parameters
    )
    tried = formatting.COUNT(sum(fit["trials"] for fit in fits))
    return str(window["index"]), formatting.date_range(*window["test"]), tried, values


def _distinct_values_text(chosen: Sequence[object]) -> str:
    """Each different value once, in the order of the fits."""
    return "; ".join(dict.fromkeys(map(_value_text, chosen))) or formatting.MISSING


def _value_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
