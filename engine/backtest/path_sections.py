"""The sections of `significance.json` about the path: risk, starts, stability, offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.core.randomness import derive_seed
from engine.evaluation.robustness.offset_paths import SchedulePath, compare_offset_paths
from engine.evaluation.robustness.path_risk import simulate_path_risk
from engine.evaluation.robustness.stability import assess_stability
from engine.evaluation.robustness.window_subsets import measure_window_subsets
from engine.evaluation.verdict import BUY_AND_HOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.pipeline.offset_paths import OffsetRun
    from engine.pipeline.result import BacktestResult
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


def make_path_sections(
    result: BacktestResult, offset_runs: Sequence[OffsetRun] = ()
) -> PathSections:
    """Risk of the path, stability, starts, and offsets where the strategy asks for them.

    Sharpe ratios and their tests are of the returns above the risk-free rate; wealth is not.

    Args:
        result: Forecasts, decisions and books.
        offset_runs: The further schedules of `paths.offsets`.
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
    if offset_runs:
        own = SchedulePath(
            returns[STRATEGY_BOOK],
            len(result.prepared.windows),
            sum(
                isinstance(each, TrainingError) for each in result.fits.for_book(STRATEGY_BOOK)[1]
            ),
        )
        further = [
            SchedulePath(each.returns, len(each.prepared.windows), each.left_out)
            for each in offset_runs
        ]
        sections["offset_paths"] = compare_offset_paths(
            [own, *further], periods, holding=returns[BUY_AND_HOLD], rates=rates
        )
    return sections
