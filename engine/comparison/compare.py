"""Compares several runs on their common bars: intervals, tests, selection bias, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.comparison.common_bars import common_returns, rates_on_common_bars
from engine.comparison.compared_run import load_compared_run
from engine.comparison.result import RunComparison, add_benchmark
from engine.comparison.selection import compute_selection_bias
from engine.comparison.settings_diff import diff_settings, label_runs
from engine.core.randomness import derive_seed
from engine.evaluation import EvaluationSpec
from engine.evaluation.inference.bootstrap import SharpeInference, infer_sharpe_ratios
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.evaluation.inference.pbo import probability_of_backtest_overfitting
from engine.evaluation.inference.spa import run_superiority_tests
from engine.evaluation.metrics import return_metrics
from engine.evaluation.verdict import BUY_AND_HOLD
from engine.runs.documents.rates import AnnualRate
from engine.runs.documents.significance import SuperiorityFigures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from engine.comparison.compared_run import ComparedRun
    from engine.core.types import Matrix
    from engine.runs.run import Run

SEED = 2_005
"""Seed of the resamples. It is fixed, so that the same runs give the same figures and the interval
of a run does not depend on the runs that it is compared with on the same bars."""

RESAMPLES = 4_000
"""Fewer than for a single run, as a sweep of 27 runs needs a hundred bootstraps. The standard
error of a p-value of 0.05 is then 0.003."""


def compare_runs(runs: Sequence[ComparedRun], spec: EvaluationSpec | None = None) -> RunComparison:
    """Compares runs on the bars that all of them have; the first one is the reference.

    Every Sharpe ratio is that of the returns above the risk-free rate of the reference, so that
    runs with different rates are compared by the same one.

    Args:
        runs: Two or more runs with the same bar length and calendar.
        spec: Number of resamples and level; `RESAMPLES` at 95 % where it is None.

    Returns:
        The figures do not depend on the order of the runs, except through the reference.

    Raises:
        UsageError: Fewer than two runs, one twice, different kinds of bars, or too few in common.
    """
    spec = spec or EvaluationSpec(resamples=RESAMPLES)
    table = common_returns(runs)
    periods = runs[0].periods_per_year
    reference = runs[0].run_id
    rng = np.random.default_rng(derive_seed(SEED, "comparison"))
    rates = rates_on_common_bars(runs[0], table)
    excess = rates.excess(table)
    books = {run: excess[run].to_numpy(dtype=np.float64) for run in map(str, excess.columns)}
    sharpe = infer_sharpe_ratios(
        {run: [values] for run, values in books.items()}, periods, spec, rng
    )
    others = {run: [books[run], books[reference]] for run in books if run != reference}
    differences = infer_sharpe_ratios(others, periods, spec, rng)
    matrix = excess.to_numpy(dtype=np.float64)
    best = _best_run(sharpe)
    benchmark = _benchmark_returns(runs, table)
    benchmark_excess = None if benchmark is None else rates.excess(benchmark.to_frame()).iloc[:, 0]
    settings = {each.run_id: each.settings for each in runs}
    return RunComparison(
        runs=tuple(runs),
        labels=label_runs(runs),
        returns=table,
        benchmark=benchmark,
        benchmark_sharpe=_benchmark_sharpe(benchmark_excess, periods),
        bars_left_out={each.run_id: len(each.returns) - len(table) for each in runs},
        periods_per_year=periods,
        risk_free_rate=AnnualRate.summarise(rates.risk_free),
        confidence=spec.confidence,
        resamples=spec.resamples,
        sharpe=sharpe,
        sharpe_holm=holm_by_name({run: each.p_value for run, each in sharpe.items()}),
        differences=differences,
        differences_holm=holm_by_name({run: each.p_value for run, each in differences.items()}),
        against_reference=_superiority_over(excess, reference, spec, rng),
        against_benchmark=_superiority_over(
            add_benchmark(excess, benchmark_excess), BUY_AND_HOLD, spec, rng
        ),
        correlations=_correlations(matrix),
        overfitting=probability_of_backtest_overfitting(matrix),
        best=best,
        selection_bias=compute_selection_bias(best, table, runs, spec.confidence)
        if best
        else None,
        setting_differences=diff_settings(settings),
    )


def compare_opened_runs(runs: Sequence[Run]) -> RunComparison:
    """Compares runs that were read from their folders; the first one is the reference.

    Raises:
        UsageError: As `compare_runs`.
    """
    return compare_runs([load_compared_run(run) for run in runs])


def _best_run(sharpe: Mapping[str, SharpeInference]) -> str | None:
    known = {run: each.estimate for run, each in sharpe.items() if each.estimate is not None}
    return max(known, key=lambda run: known[run]) if known else None


def _benchmark_returns(
    runs: Sequence[ComparedRun], table: pd.DataFrame
) -> pd.Series[float] | None:
    """Buy-and-hold of the reference if all runs have its targets; others differ by one fill."""
    first = runs[0]
    if first.benchmark is None or any(each.targets != first.targets for each in runs):
        return None
    return first.benchmark.reindex(table.index)


def _benchmark_sharpe(benchmark: pd.Series[float] | None, periods_per_year: float) -> float | None:
    if benchmark is None:
        return None
    return return_metrics.sharpe(np.asarray(benchmark, dtype=np.float64), periods_per_year)


def _superiority_over(
    table: pd.DataFrame | None, benchmark: str, spec: EvaluationSpec, rng: np.random.Generator
) -> SuperiorityFigures | None:
    if table is None:
        return None
    figures = run_superiority_tests(table, benchmark, spec.resamples, spec.confidence, rng)
    return None if figures is None else SuperiorityFigures.model_validate(figures)


def _correlations(returns: Matrix) -> tuple[tuple[float | None, ...], ...]:
    varies = np.ptp(returns, axis=0) > 0
    matrix = np.full((returns.shape[1],) * 2, np.nan)
    matrix[np.ix_(varies, varies)] = np.corrcoef(returns[:, varies], rowvar=False)
    return tuple(tuple(return_metrics.finite_or_none(value) for value in row) for row in matrix)
