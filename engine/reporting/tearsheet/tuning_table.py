"""Parameters that tuning chose in each window, and the number of configurations tried."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runs.documents import Manifest
    from engine.runs.documents.manifest import WindowRecord


@dataclass(frozen=True)
class TuningTable:
    """The parameters chosen.

    Attributes:
        trial_count: Configurations tried in total.
        procedure: Score, splits and sampler.
        parameters: Names of the tuned parameters, one column each.
        rows: Window, its test span, configurations tried, and the value of each parameter; where
            fits chose differently, all values.
    """

    trial_count: str
    procedure: str
    parameters: tuple[str, ...]
    rows: tuple[tuple[str, str, str, tuple[str, ...]], ...]


def make_tuning_table(manifest: Manifest) -> TuningTable | None:
    """The table of a tuned run; None for a run without tuning."""
    tried, tuning = manifest.tuning, manifest.settings.tuning
    if tried is None or tuning is None:
        return None
    splits = [f"{name} {value}" for name, value in tuning.splits.parameters.items()]
    return TuningTable(
        trial_count=formatting.count_of(tried.trials, "configuration"),
        procedure=f"{tuning.metric} over {tuning.splits.kind} ({', '.join(splits)}), drawn by "
        f"{tuning.sampler}",
        parameters=tuning.space,
        rows=tuple(_window_row(window, tuning.space) for window in manifest.windows),
    )


def _window_row(
    window: WindowRecord, parameters: Sequence[str]
) -> tuple[str, str, str, tuple[str, ...]]:
    fits = [fit for fit in window.fits if fit.chosen is not None]
    values = tuple(
        _distinct_values_text([fit.chosen.get(name) for fit in fits if fit.chosen is not None])
        for name in parameters
    )
    tried = formatting.COUNT(sum(fit.trials for fit in fits))
    return str(window.index), formatting.date_range(*window.test), tried, values


def _distinct_values_text(values: Sequence[object]) -> str:
    """Each distinct value once, in the order of the fits."""
    return "; ".join(dict.fromkeys(map(_value_text, values))) or formatting.MISSING


def _value_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
