"""Figures of the paths of combinatorial purged cross-validation, beside the run's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.data.rates import RatesByBar
from engine.evaluation.metrics.return_metrics import max_drawdown, sharpe, total_return
from engine.evaluation.robustness.window_subsets import describe_spread
from engine.runs.documents.significance_combinatorial import (
    CombinatorialFigures,
    CombinatorialPath,
    CommonBarFigures,
    ReferenceFigures,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from engine.core.types import Vector


class GroupLayout(NamedTuple):
    """How the bars were split; lengths in bars, as in `CombinatorialFigures`."""

    groups: int
    test_groups: int
    splits: int
    fits: int
    left_out_fits: int
    group_bars: int
    purge_bars: int
    embargo_bars: int
    reach_bars: int
    train_rows: tuple[int, int]


def summarise_combinatorial_paths(
    paths: pd.DataFrame,
    path_splits: Sequence[tuple[int, ...]],
    layout: GroupLayout,
    periods_per_year: float,
    *,
    holding: pd.Series[float],
    run: pd.Series[float],
    rates: RatesByBar | None = None,
) -> CombinatorialFigures:
    """The distribution of the paths, beside holding and the walk-forward run.

    A path whose returns do not vary has no Sharpe ratio, and counts as not below 0 and not below
    holding.

    Args:
        paths: Index timestamp, a column a path: net return of each bar; no NaN.
        path_splits: For each path the splits that forecast its groups, from 0.
        layout: How the bars were split.
        periods_per_year: Annualises.
        holding: Net returns of holding on the same bars.
        run: Net returns of the walk-forward run on its own bars, of which some are the same.
        rates: Interest rates on the bars of the paths, for the Sharpe ratios; None for 0.
    """
    known = rates or RatesByBar.constant(paths.index)
    common = np.asarray(paths.index.isin(run.index))
    shared = known.rows(common)
    columns = [paths[name].to_numpy(dtype=np.float64) for name in paths]

    def measure(values: Vector, over: RatesByBar) -> ReferenceFigures:
        return ReferenceFigures(
            sharpe=sharpe(over.excess_values(values), periods_per_year),
            total_return_pct=_per_cent(total_return(values)),
            max_drawdown_pct=_per_cent(max_drawdown(values)),
        )

    held_values = np.asarray(holding, dtype=np.float64)
    held, held_too = measure(held_values, known), measure(held_values[common], shared)
    own = measure(np.asarray(run.reindex(paths.index[common]), dtype=np.float64), shared)
    figures = [measure(values, known) for values in columns]
    ratios = [each.sharpe for each in figures]
    common_ratios = [
        sharpe(shared.excess_values(values[common]), periods_per_year) for values in columns
    ]
    unknown = [None] * len(figures)
    return CombinatorialFigures(
        **layout._asdict(),
        first=paths.index[0].isoformat(),
        last=paths.index[-1].isoformat(),
        bars=len(paths),
        paths=tuple(
            CombinatorialPath(
                path=number,
                splits=tuple(split + 1 for split in splits),
                sharpe=each.sharpe,
                total_return_pct=each.total_return_pct,
                max_drawdown_pct=each.max_drawdown_pct,
                common_sharpe=ratio,
            )
            for number, (splits, each, ratio) in enumerate(
                zip(path_splits, figures, common_ratios, strict=True), start=1
            )
        ),
        sharpe=describe_spread(ratios, [held.sharpe] * len(ratios)),
        total_return_pct=describe_spread([each.total_return_pct for each in figures], unknown),
        max_drawdown_pct=describe_spread([each.max_drawdown_pct for each in figures], unknown),
        negative_share=_share_below(ratios, 0.0),
        loss_share=_share_below([each.total_return_pct for each in figures], 0.0),
        below_holding_share=None if held.sharpe is None else _share_below(ratios, held.sharpe),
        holding=held,
        common=CommonBarFigures(
            bars=int(common.sum()),
            sharpe=describe_spread(common_ratios, [held_too.sharpe] * len(ratios)),
            run=own,
            holding=held_too,
            rank=None
            if own.sharpe is None
            else 1 + sum(ratio is not None and ratio > own.sharpe for ratio in common_ratios),
        ),
    )


def _share_below(values: Sequence[float | None], bound: float) -> float:
    return float(np.mean([value is not None and value < bound for value in values]))


def _per_cent(value: float | None) -> float | None:
    return None if value is None else 100.0 * value
