"""Features of other times: what a model sees at a bar was known at another one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.pipeline.schedules import first_usable_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import WideFrame
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy

NEAREST_SHARE = 0.05
"""Of the bars, at least which features are shifted, forwards or backwards."""


def count_shifts(spec: Strategy, prepared: PreparedData) -> int:
    """How many different shifts there are."""
    rows, nearest = _span(spec, prepared)
    return max(0, rows - 2 * nearest + 1)


def shift_features(spec: Strategy, prepared: PreparedData, number: int) -> PreparedData:
    """The same bars and returns with features of other bars, shifted in a circle.

    Rows before the first one that a model may use stay as they are. Features keep their own
    dependence and that with one another, returns keep theirs; what is lost is that a feature is of
    its time.

    Args:
        spec: The strategy.
        prepared: Its real data.
        number: Of the shift, below `count_shifts`.

    Raises:
        UsageError: Symbols lack bars at some times.
    """
    if prepared.market.has_absences:
        raise UsageError(
            "surrogates of the kind shifts are not offered for this dataset",
            expected="bars of all symbols at the same times",
            found="symbols without a bar at some times",
            where="--surrogates",
            fix="use --surrogates signs",
        )
    history = prepared.feature_history
    first, (_, nearest) = first_usable_row(spec, history), _span(spec, prepared)
    rows = np.arange(len(history.features.timestamps))
    rows[first:] = np.roll(rows[first:], nearest + number)

    def shifted(returns: Mapping[int, WideFrame]) -> dict[int, WideFrame]:
        return {
            bars: pd.DataFrame(wide.to_numpy()[rows], wide.index, wide.columns)
            for bars, wide in returns.items()
        }

    moved = replace(
        history,
        features=replace(history.features, values=history.features.values[rows]),
        trailing_returns=shifted(history.trailing_returns),
        coarse=tuple(replace(part, latest=part.latest[rows]) for part in history.coarse),
    )
    return replace(prepared, feature_history=moved)


def _span(spec: Strategy, prepared: PreparedData) -> tuple[int, int]:
    """Rows that are shifted, and the least shift: beyond the horizon and a twentieth of them."""
    history = prepared.feature_history
    rows = len(history.features.timestamps) - first_usable_row(spec, history)
    lookback = max(model.lookback for model in spec.forecasters().values())
    nearest = max(int(NEAREST_SHARE * rows), lookback + max(history.forward_returns) + 1)
    return rows, nearest
