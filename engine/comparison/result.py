"""The result of a comparison: every figure, its verdict, and its form as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.comparison.verdict import BestRunEvidence, grade_best_run, verdict_sentences
from engine.evaluation.inference.bootstrap import SharpeInference
from engine.evaluation.metrics import return_metrics
from engine.evaluation.verdict import BUY_AND_HOLD, Grade
from engine.runs.documents.metrics import BookMetrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.comparison.compared_run import ComparedRun
    from engine.comparison.selection import SelectionBias
    from engine.comparison.settings_diff import SettingDifference
    from engine.core.types import Vector
    from engine.evaluation.inference.pbo import BacktestOverfitting
    from engine.runs.documents.rates import AnnualRate
    from engine.runs.documents.significance import SuperiorityFigures


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
        risk_free_rate: That of the reference, of every Sharpe ratio here.
        confidence: Level of all intervals.
        resamples: Number of bootstrap resamples.
        sharpe: Interval and one-sided test of each run's Sharpe ratio.
        sharpe_holm: Its p-values, adjusted over the runs.
        differences: Each other run minus the reference; two-sided test.
        differences_holm: Their p-values, adjusted over the differences.
        against_reference: `run_superiority_tests` of all others over the reference.
        against_benchmark: The same of all runs over buy-and-hold.
        correlations: Correlations of returns in the order of the runs; None for constant returns.
        overfitting: Probability of backtest overfitting over the runs.
        best: Run with the highest Sharpe ratio; None where none has one.
        selection_bias: The best run with all trials counted; None without a best run.
        setting_differences: Settings that are not the same in all runs.
    """

    runs: tuple[ComparedRun, ...]
    labels: Mapping[str, str]
    returns: pd.DataFrame = field(repr=False)
    benchmark: pd.Series[float] | None = field(repr=False)
    benchmark_sharpe: float | None
    bars_left_out: Mapping[str, int]
    periods_per_year: float
    risk_free_rate: AnnualRate
    confidence: float
    resamples: int
    sharpe: Mapping[str, SharpeInference]
    sharpe_holm: Mapping[str, float | None]
    differences: Mapping[str, SharpeInference]
    differences_holm: Mapping[str, float | None]
    against_reference: SuperiorityFigures | None
    against_benchmark: SuperiorityFigures | None
    correlations: tuple[tuple[float | None, ...], ...]
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
        with_benchmark = add_benchmark(self.returns, self.benchmark)
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
            "risk_free_rate": self.risk_free_rate.as_dict(),
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
            "bars_left_out": self.bars_left_out[run],
        }


def add_benchmark(table: pd.DataFrame, benchmark: pd.Series[float] | None) -> pd.DataFrame | None:
    """Returns of the runs, and of buy-and-hold as a further column; None where it is not known."""
    return None if benchmark is None else table.assign(**{BUY_AND_HOLD: benchmark})


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
