"""Compares several runs on their common bars: intervals, tests, selection bias, verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.comparison.common_bars import common_returns
from engine.comparison.compared_run import load_compared_run
from engine.comparison.selection import SelectionBias, compute_selection_bias
from engine.comparison.settings_diff import SettingDifference, diff_settings, label_runs
from engine.comparison.verdict import BestRunEvidence, grade_best_run, verdict_sentences
from engine.core.randomness import derive_seed
from engine.evaluation import EvaluationSpec
from engine.evaluation.inference.bootstrap import SharpeInference, infer_sharpe_ratios
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.evaluation.inference.pbo import (
    BacktestOverfitting,
    probability_of_backtest_overfitting,
)
from engine.evaluation.inference.spa import run_superiority_tests
from engine.evaluation.metrics import return_metrics
from engine.evaluation.verdict import BUY_AND_HOLD, Grade
from engine.runs.documents.metrics import BookMetrics
from engine.runs.documents.significance import SuperiorityFigures
from engine.trials.clustering import cluster_trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from engine.comparison.compared_run import ComparedRun
    from engine.core.types import Matrix, Vector
    from engine.runs.run import Run

SEED = 2_005
"""Seed of the resamples. It is fixed, so that the same runs give the same figures and the interval
of a run does not depend on the runs that it is compared with on the same bars."""

RESAMPLES = 4_000
"""Fewer than for a single run, as a sweep of 27 runs needs a hundred bootstraps. The standard
error of a p-value of 0.05 is then 0.003."""


@dataclass(frozen=True)
class RunComparison:
    """Several runs on the bars that all of them have; runs are named by run id throughout.

    Attributes:
        runs: The runs, the reference first.
        labels: Short name of each run.
        returns: Index timestamp, a column a run: net returns on the common bars.
        benchmark: Returns of buy-and-hold on these bars, from the reference run; None unless all
            runs trade the same targets and the reference has it as a benchmark.
        benchmark_sharpe: Its annualised Sharpe ratio; None without it.
        bars_left_out: Number of bars of each run that are not common.
        periods_per_year: Annualises.
        confidence: Level of all intervals.
        resamples: Number of bootstrap resamples.
        sharpe: Interval and one-sided test of each run's Sharpe ratio.
        sharpe_holm: Its p-values, adjusted over the runs.
        differences: Each other run minus the reference; two-sided test.
        differences_holm: Their p-values, adjusted over the differences.
        against_reference: `run_superiority_tests` of all others over the reference.
        against_benchmark: The same of all runs over buy-and-hold.
        correlations: Correlations of returns in the order of the runs; None for constant returns.
        clusters: Cluster of each run; the runs of one cluster are one trial.
        overfitting: Probability of backtest overfitting over the runs.
        best: Run with the highest Sharpe ratio; None where none has one.
        selection_bias: The best run deflated by all trials; None without a best run.
        setting_differences: Settings that are not the same in all runs.
    """

    runs: tuple[ComparedRun, ...]
    labels: Mapping[str, str]
    returns: pd.DataFrame = field(repr=False)
    benchmark: pd.Series[float] | None = field(repr=False)
    benchmark_sharpe: float | None
    bars_left_out: Mapping[str, int]
    periods_per_year: float
    confidence: float
    resamples: int
    sharpe: Mapping[str, SharpeInference]
    sharpe_holm: Mapping[str, float | None]
    differences: Mapping[str, SharpeInference]
    differences_holm: Mapping[str, float | None]
    against_reference: SuperiorityFigures | None
    against_benchmark: SuperiorityFigures | None
    correlations: tuple[tuple[float | None, ...], ...]
    clusters: Mapping[str, int]
    overfitting: BacktestOverfitting | None
    best: str | None
    selection_bias: SelectionBias | None
    setting_differences: tuple[SettingDifference, ...]

    @property
    def reference(self) -> str:
        """The run that the others are compared with: the first one named.

        Not the best run: its Sharpe ratio is biased upwards by the selection, and every difference
        to it would be tested against a biased figure.
        """
        return self.runs[0].run_id

    @cached_property
    def metrics(self) -> dict[str, BookMetrics]:
        """Total return, CAGR, volatility and max drawdown of each run on the common bars."""
        return {
            run: _return_metrics_pct(self.returns[run].to_numpy(), self.periods_per_year)
            for run in self.labels
        }

    @cached_property
    def growth(self) -> pd.DataFrame:
        """Growth of 1 on the common bars: a column a run, and `buy_and_hold` where it is known."""
        with_benchmark = _add_benchmark(self.returns, self.benchmark)
        return (1.0 + (self.returns if with_benchmark is None else with_benchmark)).cumprod()

    @property
    def grade(self) -> Grade:
        """Grade of the evidence for the best run; see `verdict.grade_best_run`."""
        return grade_best_run(self._evidence)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict in words, its claim first; see `verdict.verdict_sentences`."""
        return verdict_sentences(self._evidence)

    @property
    def _evidence(self) -> BestRunEvidence:
        index, best = self.returns.index, self.best
        return BestRunEvidence(
            best=best,
            reference=self.reference,
            labels=self.labels,
            span=f"{index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}",
            confidence=self.confidence,
            sharpe=self.sharpe[best] if best else SharpeInference(),
            own_grade=next((each.grade for each in self.runs if each.run_id == best), None),
            benchmark_sharpe=self.benchmark_sharpe,
            selection_bias=self.selection_bias,
            against_reference=self.against_reference,
            against_benchmark=self.against_benchmark,
        )

    def as_dict(self) -> dict[str, Any]:
        """All figures as plain values; None where one is not defined."""
        index = self.returns.index
        return {
            "span": {
                "first": index[0].isoformat(),
                "last": index[-1].isoformat(),
                "bars": len(index),
                "periods_per_year": self.periods_per_year,
            },
            "method": {
                "bootstrap": "stationary",
                "resamples": self.resamples,
                "confidence": self.confidence,
            },
            "reference": self.reference,
            "best": self.best,
            "buy_and_hold_sharpe": self.benchmark_sharpe,
            "runs": {run: self._run_as_dict(run) for run in self.labels},
            "differences": {
                run: {**asdict(each), "p_value_holm": self.differences_holm[run]}
                for run, each in self.differences.items()
            },
            "superiority": {
                "reference": self.against_reference and self.against_reference.as_dict(),
                BUY_AND_HOLD: self.against_benchmark and self.against_benchmark.as_dict(),
            },
            "correlations": dict(zip(self.labels, map(list, self.correlations), strict=True)),
            "overfitting": asdict(self.overfitting) if self.overfitting else None,
            "family": asdict(self.selection_bias) if self.selection_bias else None,
            "differing": {each.key: dict(each.values) for each in self.setting_differences},
            "verdict": {"grade": self.grade, "sentence": " ".join(self.sentences)},
        }

    def _run_as_dict(self, run: str) -> dict[str, Any]:
        return {
            "label": self.labels[run],
            **self.metrics[run].as_dict(),
            "sharpe": {**asdict(self.sharpe[run]), "p_value_holm": self.sharpe_holm[run]},
            "cluster": self.clusters[run],
            "bars_left_out": self.bars_left_out[run],
        }


def compare_runs(runs: Sequence[ComparedRun], spec: EvaluationSpec | None = None) -> RunComparison:
    """Compares runs on the bars that all of them have; the first one is the reference.

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
    books = {run: table[run].to_numpy(dtype=np.float64) for run in map(str, table.columns)}
    sharpe = infer_sharpe_ratios(
        {run: [values] for run, values in books.items()}, periods, spec, rng
    )
    others = {run: [books[run], books[reference]] for run in books if run != reference}
    differences = infer_sharpe_ratios(others, periods, spec, rng)
    matrix = table.to_numpy(dtype=np.float64)
    clusters = cluster_trials(matrix)
    best = _best_run(sharpe)
    benchmark = _benchmark_returns(runs, table)
    settings = {each.run_id: each.settings for each in runs}
    return RunComparison(
        runs=tuple(runs),
        labels=label_runs(runs),
        returns=table,
        benchmark=benchmark,
        benchmark_sharpe=_benchmark_sharpe(benchmark, periods),
        bars_left_out={each.run_id: len(each.returns) - len(table) for each in runs},
        periods_per_year=periods,
        confidence=spec.confidence,
        resamples=spec.resamples,
        sharpe=sharpe,
        sharpe_holm=holm_by_name({run: each.p_value for run, each in sharpe.items()}),
        differences=differences,
        differences_holm=holm_by_name({run: each.p_value for run, each in differences.items()}),
        against_reference=_superiority_over(table, reference, spec, rng),
        against_benchmark=_superiority_over(
            _add_benchmark(table, benchmark), BUY_AND_HOLD, spec, rng
        ),
        correlations=_correlations(matrix),
        clusters=dict(zip(books, map(int, clusters), strict=True)),
        overfitting=probability_of_backtest_overfitting(matrix),
        best=best,
        selection_bias=compute_selection_bias(books[best], matrix, clusters, runs, periods)
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


def _add_benchmark(table: pd.DataFrame, benchmark: pd.Series[float] | None) -> pd.DataFrame | None:
    return None if benchmark is None else table.assign(**{BUY_AND_HOLD: benchmark})


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


def _return_metrics_pct(returns: Vector, periods_per_year: float) -> BookMetrics:
    fractions = {
        "total_return_pct": return_metrics.total_return(returns),
        "cagr_pct": return_metrics.cagr(returns, periods_per_year),
        "volatility_pct": return_metrics.annualised_volatility(returns, periods_per_year),
        "max_drawdown_pct": return_metrics.max_drawdown(returns),
    }
    return BookMetrics(
        **{key: None if value is None else 100 * value for key, value in fractions.items()}
    )
