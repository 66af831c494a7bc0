"""Several runs on their common bars: every interval and test, and the answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.artifacts import seed_of
from engine.evaluation import measures
from engine.evaluation.bootstrap import Inference, infer
from engine.evaluation.clusters import cluster
from engine.evaluation.comparison.answer import grade, sentences
from engine.evaluation.comparison.family import Family, judged_as_best
from engine.evaluation.comparison.overlap import aligned
from engine.evaluation.comparison.settings import Setting, differing, labels
from engine.evaluation.multiple import holm_by_name
from engine.evaluation.overfitting import Overfitting, probability_of_overfitting
from engine.evaluation.spec import EvaluationSpec
from engine.evaluation.superiority import superiority
from engine.evaluation.verdict import BENCHMARK, Grade

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from engine.evaluation.comparison.candidate import Candidate
    from engine.types import Matrix, Vector

SEED = 2_005
"""Of the resamples: a fixed one, so that the same runs give the same page, and a run's own
interval is the same whoever it is compared with on the same bars."""

RESAMPLES = 4_000
"""A family of 27 runs needs a hundred bootstraps: fewer resamples than a run alone has. The error
of a p-value of 0.05 is then 0.003."""


@dataclass(frozen=True)
class Comparison:
    """Several runs on the bars that all of them have; runs are named by run id throughout.

    Attributes:
        candidates: The runs, the reference first.
        labels: A short name of each.
        returns: Index timestamp, a column a run: net returns on the common bars.
        benchmark: Returns of buy-and-hold on these bars, as the reference has it; None unless all
            runs trade the same target and the reference had it as an opponent.
        benchmark_sharpe: Its Sharpe ratio a year; None without it.
        left_out: Bars of each run that not all of them have.
        periods_per_year: Annualises.
        confidence: Level of every interval.
        resamples: Of every bootstrap.
        sharpe: Interval and one-sided test of each run's Sharpe ratio.
        sharpe_holm: Its p-values, adjusted over the runs.
        differences: Each run less the reference, all but the reference; two-sided.
        differences_holm: Their p-values, adjusted over the differences.
        against_reference: `superiority` of all others over the reference.
        against_benchmark: The same of all runs over buy-and-hold.
        correlations: Of returns, None for runs that never move, in the order of the runs.
        clusters: The number of each run's cluster; those of one are one trial.
        overfitting: What choosing the best of one half of the bars is worth in the other.
        best: The run with the highest Sharpe ratio; None where none has one.
        family: What is left of it, all that were tried counted; None without a best one.
        differing: Settings that not all runs share.
    """

    candidates: tuple[Candidate, ...]
    labels: Mapping[str, str]
    returns: pd.DataFrame = field(repr=False)
    benchmark: pd.Series[float] | None = field(repr=False)
    benchmark_sharpe: float | None
    left_out: Mapping[str, int]
    periods_per_year: float
    confidence: float
    resamples: int
    sharpe: Mapping[str, Inference]
    sharpe_holm: Mapping[str, float | None]
    differences: Mapping[str, Inference]
    differences_holm: Mapping[str, float | None]
    against_reference: Mapping[str, Any] | None
    against_benchmark: Mapping[str, Any] | None
    correlations: tuple[tuple[float | None, ...], ...]
    clusters: Mapping[str, int]
    overfitting: Overfitting | None
    best: str | None
    family: Family | None
    differing: tuple[Setting, ...]

    @property
    def reference(self) -> str:
        """The run that the others are compared with: the first one named.

        Not the best: who is chosen by these returns looks better in them than it is, and every
        difference to it would be tested against a figure that luck had raised.
        """
        return self.candidates[0].run_id

    @cached_property
    def figures(self) -> dict[str, dict[str, float | None]]:
        """Return, growth a year, volatility and drawdown of each run on the common bars."""
        return {
            run: _figures(self.returns[run].to_numpy(), self.periods_per_year)
            for run in self.labels
        }

    @property
    def grade(self) -> Grade:
        """Of the evidence for the best run; see `answer.grade`."""
        return grade(self)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words: its claim, then what else there is to say."""
        return sentences(self)

    def told(self) -> dict[str, Any]:
        """Every figure as plain values, None where one is not defined."""
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
            "runs": {run: self._told_of(run) for run in self.labels},
            "differences": {
                run: {**asdict(each), "p_value_holm": self.differences_holm[run]}
                for run, each in self.differences.items()
            },
            "superiority": {
                "reference": self.against_reference,
                BENCHMARK: self.against_benchmark,
            },
            "correlations": dict(zip(self.labels, map(list, self.correlations), strict=True)),
            "overfitting": asdict(self.overfitting) if self.overfitting else None,
            "family": asdict(self.family) if self.family else None,
            "differing": {each.key: dict(each.values) for each in self.differing},
            "verdict": {"grade": self.grade, "sentence": " ".join(self.sentences)},
        }

    def _told_of(self, run: str) -> dict[str, Any]:
        return {
            "label": self.labels[run],
            **self.figures[run],
            "sharpe": {**asdict(self.sharpe[run]), "p_value_holm": self.sharpe_holm[run]},
            "cluster": self.clusters[run],
            "bars_left_out": self.left_out[run],
        }


def compare(candidates: Sequence[Candidate], spec: EvaluationSpec | None = None) -> Comparison:
    """Compares runs on the bars that all of them have; the first one is the reference.

    Args:
        candidates: Two or more runs on bars of one length and calendar.
        spec: Resamples and level; `RESAMPLES` at 95 % where it is None.

    Returns:
        The same for the same runs, in whatever order but for the reference.

    Raises:
        UsageError: Fewer than two runs, one twice, other kinds of bars, or too few in common.
    """
    spec = spec or EvaluationSpec(resamples=RESAMPLES)
    table = aligned(candidates)
    periods = candidates[0].periods_per_year
    reference = candidates[0].run_id
    rng = np.random.default_rng(seed_of(SEED, "comparison"))
    books = {run: table[run].to_numpy(dtype=np.float64) for run in map(str, table.columns)}
    sharpe = infer({run: [values] for run, values in books.items()}, periods, spec, rng)
    others = {run: [books[run], books[reference]] for run in books if run != reference}
    differences = infer(others, periods, spec, rng)
    matrix = table.to_numpy(dtype=np.float64)
    clusters = cluster(matrix)
    best = _best(sharpe)
    benchmark = _benchmark(candidates, table)
    settings = {each.run_id: each.settings for each in candidates}
    return Comparison(
        candidates=tuple(candidates),
        labels=labels(candidates),
        returns=table,
        benchmark=benchmark,
        benchmark_sharpe=_sharpe(benchmark, periods),
        left_out={each.run_id: len(each.returns) - len(table) for each in candidates},
        periods_per_year=periods,
        confidence=spec.confidence,
        resamples=spec.resamples,
        sharpe=sharpe,
        sharpe_holm=holm_by_name({run: each.p_value for run, each in sharpe.items()}),
        differences=differences,
        differences_holm=holm_by_name({run: each.p_value for run, each in differences.items()}),
        against_reference=_superior(table, reference, spec, rng),
        against_benchmark=_superior(_with(table, benchmark), BENCHMARK, spec, rng),
        correlations=_correlations(matrix),
        clusters=dict(zip(books, map(int, clusters), strict=True)),
        overfitting=probability_of_overfitting(matrix),
        best=best,
        family=judged_as_best(books[best], matrix, clusters, candidates, periods)
        if best
        else None,
        differing=differing(settings),
    )


def _best(sharpe: Mapping[str, Inference]) -> str | None:
    known = {run: each.estimate for run, each in sharpe.items() if each.estimate is not None}
    return max(known, key=lambda run: known[run]) if known else None


def _benchmark(candidates: Sequence[Candidate], table: pd.DataFrame) -> pd.Series[float] | None:
    """Of the reference, if all trade the same: the others' may differ by the cost of one fill."""
    first = candidates[0]
    if first.benchmark is None or any(each.targets != first.targets for each in candidates):
        return None
    return first.benchmark.reindex(table.index)


def _sharpe(benchmark: pd.Series[float] | None, periods_per_year: float) -> float | None:
    if benchmark is None:
        return None
    return measures.sharpe(np.asarray(benchmark, dtype=np.float64), periods_per_year)


def _with(table: pd.DataFrame, benchmark: pd.Series[float] | None) -> pd.DataFrame | None:
    return None if benchmark is None else table.assign(**{BENCHMARK: benchmark})


def _superior(
    table: pd.DataFrame | None, benchmark: str, spec: EvaluationSpec, rng: np.random.Generator
) -> dict[str, Any] | None:
    if table is None:
        return None
    return superiority(table, benchmark, spec.resamples, spec.confidence, rng)


def _correlations(returns: Matrix) -> tuple[tuple[float | None, ...], ...]:
    moves = np.ptp(returns, axis=0) > 0
    matrix = np.full((returns.shape[1],) * 2, np.nan)
    matrix[np.ix_(moves, moves)] = np.corrcoef(returns[:, moves], rowvar=False)
    return tuple(tuple(measures.finite(value) for value in row) for row in matrix)


def _figures(returns: Vector, periods_per_year: float) -> dict[str, float | None]:
    shares = {
        "total_return_pct": measures.total_return(returns),
        "cagr_pct": measures.cagr(returns, periods_per_year),
        "volatility_pct": measures.annualised_volatility(returns, periods_per_year),
        "max_drawdown_pct": measures.max_drawdown(returns),
    }
    return {key: None if value is None else 100 * value for key, value in shares.items()}
