"""Sharpe ratios of the strategy under several schedules of windows, on their common bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.data.rates import RatesByBar
from engine.evaluation.metrics.return_metrics import max_drawdown, sharpe, total_return
from engine.evaluation.robustness.window_subsets import describe_spread
from engine.runs.documents.significance_paths import OffsetFigures, OffsetPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from engine.core.types import Vector


@dataclass(frozen=True, eq=False)
class SchedulePath:
    """The strategy under one schedule.

    Attributes:
        returns: Net return of each of its out-of-sample bars; no NaN.
        windows: Number of its windows.
        left_out_fits: Fits that failed and were left out.
    """

    returns: pd.Series[float]
    windows: int
    left_out_fits: int = 0


def compare_offset_paths(
    schedules: Sequence[SchedulePath],
    periods_per_year: float,
    *,
    holding: pd.Series[float] | None = None,
    rates: RatesByBar | None = None,
) -> OffsetFigures | None:
    """Compares the schedules on the bars that all of them have.

    Args:
        schedules: The run's own first; each begins later than the one before, and all end with
            the same bar.
        periods_per_year: Annualises.
        holding: Net returns of holding over at least the common bars.
        rates: Interest rates on the bars of the first schedule, for its Sharpe ratios; None for 0.

    Returns:
        None with fewer than two schedules.
    """
    if len(schedules) < 2:
        return None
    first = max(each.returns.index[0] for each in schedules)
    common = [_values_from(first, each.returns) for each in schedules]
    own_index = schedules[0].returns.index
    known = rates or RatesByBar.constant(own_index)
    above = known.rows(np.asarray(own_index >= first))

    def ratio_of(values: Vector) -> float | None:
        return sharpe(above.excess_values(values), periods_per_year)

    held = None if holding is None else ratio_of(_values_from(first, holding))
    ratios = [ratio_of(values) for values in common]
    own = ratios[0]
    return OffsetFigures(
        offsets=len(schedules),
        first=first.isoformat(),
        bars=len(common[0]),
        paths=tuple(
            OffsetPath(
                offset=offset,
                shift_bars=len(schedules[0].returns) - len(each.returns),
                windows=each.windows,
                left_out_fits=each.left_out_fits,
                sharpe=ratio,
                total_return_pct=_per_cent(total_return(values)),
                max_drawdown_pct=_per_cent(max_drawdown(values)),
            )
            for offset, (each, values, ratio) in enumerate(
                zip(schedules, common, ratios, strict=True)
            )
        ),
        spread=describe_spread(ratios, [held] * len(ratios)),
        rank=None
        if own is None
        else 1 + sum(ratio is not None and ratio > own for ratio in ratios[1:]),
        holding_sharpe=held,
    )


def _values_from(first: pd.Timestamp, returns: pd.Series[float]) -> Vector:
    return np.asarray(returns.loc[first:], dtype=np.float64)


def _per_cent(value: float | None) -> float | None:
    return None if value is None else 100.0 * value
