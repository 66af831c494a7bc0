"""The sections of `significance.json` about the path: risk, starts, stability, other paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.core.randomness import derive_seed
from engine.evaluation.robustness.combinatorial_paths import (
    GroupLayout,
    summarise_combinatorial_paths,
)
from engine.evaluation.robustness.offset_paths import SchedulePath, compare_offset_paths
from engine.evaluation.robustness.path_risk import simulate_path_risk
from engine.evaluation.robustness.stability import assess_stability
from engine.evaluation.robustness.window_subsets import measure_window_subsets
from engine.evaluation.verdict import BUY_AND_HOLD
from engine.splits.combinatorial import assign_paths

if TYPE_CHECKING:
    import pandas as pd

    from engine.backtest.further_paths import FurtherPaths
    from engine.pipeline.combinatorial_paths import CombinatorialRun
    from engine.pipeline.result import BacktestResult
    from engine.runs.documents.significance_combinatorial import CombinatorialFigures
    from engine.runs.documents.significance_paths import (
        OffsetFigures,
        PathRiskFigures,
        StabilityFigures,
        WindowSubsetFigures,
    )


class PathSections(TypedDict, total=False):
    """Sections by their keys in `ModelSections`."""

    path_risk: PathRiskFigures | None
    stability: StabilityFigures | None
    window_subsets: WindowSubsetFigures | None
    offset_paths: OffsetFigures | None
    combinatorial_paths: CombinatorialFigures | None


def make_path_sections(
    result: BacktestResult, further: FurtherPaths | None = None
) -> PathSections:
    """Risk of the path, stability, starts, and further paths where the strategy asks for them.

    Sharpe ratios and their tests are of the returns above the risk-free rate; wealth is not.

    Args:
        result: Forecasts, decisions and books.
        further: The further schedules of `paths.offsets` and the paths of `paths.groups`.
    """
    spec, periods = result.spec, result.prepared.market.periods_per_year
    returns, rates = result.returns, result.prepared.rates_by_bar
    excess = rates.excess(returns)
    window_index = result.predictions[STRATEGY_BOOK].window_index
    rng = np.random.default_rng(derive_seed(spec.seed, "paths"))
    sections = PathSections(
        path_risk=simulate_path_risk(returns, periods, rng),
        stability=assess_stability(excess, window_index, periods, rng, holding=BUY_AND_HOLD),
        window_subsets=measure_window_subsets(excess, window_index, periods, holding=BUY_AND_HOLD),
    )
    if further is None:
        return sections
    if further.offset_runs:
        own = SchedulePath(
            returns[STRATEGY_BOOK],
            len(result.prepared.windows),
            sum(
                isinstance(each, TrainingError) for each in result.fits.for_book(STRATEGY_BOOK)[1]
            ),
        )
        delayed = [
            SchedulePath(each.returns, len(each.prepared.windows), each.left_out)
            for each in further.offset_runs
        ]
        sections["offset_paths"] = compare_offset_paths(
            [own, *delayed], periods, holding=returns[BUY_AND_HOLD], rates=rates
        )
    if further.combinatorial_run is not None:
        sections["combinatorial_paths"] = _summarise(
            further.combinatorial_run, returns[STRATEGY_BOOK]
        )
    return sections


def _summarise(run: CombinatorialRun, walk_forward: pd.Series[float]) -> CombinatorialFigures:
    """The paths of `paths.groups` beside the returns of the run itself."""
    data, splits = run.data, run.data.splits
    train_rows = [len(split.train) for split in splits]
    groups = {window.index: window.test for split in splits for window in split.windows()}
    layout = GroupLayout(
        groups=len(groups),
        test_groups=len(splits[0].test_groups),
        splits=len(splits),
        fits=data.fits,
        left_out_fits=run.left_out,
        group_bars=min(map(len, groups.values())),
        purge_bars=data.purge,
        embargo_bars=data.embargo,
        reach_bars=data.reach,
        train_rows=(min(train_rows), max(train_rows)),
    )
    return summarise_combinatorial_paths(
        run.returns,
        [tuple(window.split for window in path) for path in assign_paths(splits)],
        layout,
        data.prepared.market.periods_per_year,
        holding=run.holding,
        run=walk_forward,
        rates=data.prepared.rates_by_bar,
    )
