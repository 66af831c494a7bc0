"""What a verdict is drawn from: the inputs of a run, the evidence in them, and the grade alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.bootstrap import SharpeInference, infer_sharpe_ratios
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.evaluation.inference.selection import (
    run_lead_selection_test,
    run_sharpe_selection_test,
)
from engine.evaluation.inference.studentised_estimate import studentise_lead, studentise_sharpe
from engine.evaluation.inference.trial_correlations import as_vector
from engine.evaluation.inference.trial_set import Trial, TrialSet
from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.verdict import (
    BUY_AND_HOLD,
    Evidence,
    TrialCounts,
    grade_evidence,
    significance_level,
)
from engine.runs.documents.rates import AnnualRate
from engine.runs.documents.significance_models import ModelSections

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import Vector
    from engine.data.rates import RatesByBar
    from engine.evaluation.config import EvaluationSpec
    from engine.evaluation.verdict import Grade
    from engine.runs.documents.significance_models import SensitivityFigures

_ANY_INTERVAL = "1d"
"""A single trial has no other to be matched with."""

_FEW_TRIALS = 32
"""Trials that a search without skill is mostly refuted by; more of them cost more."""


@dataclass(frozen=True, eq=False)
class VerdictInputs:
    """A run as far as its verdict depends on it.

    Attributes:
        returns: Index timestamp, a column a book: net return of the bar; no NaN. The first column
            is the strategy, the others are its benchmarks.
        periods_per_year: Annualises, as in `return_metrics.sharpe`.
        trials: All trials; those of the run itself are replaced by `returns`. The net returns of
            the others count, whose correlations do not depend on the risk-free rate. None where
            they are not known, which counts as one.
        round_trips: Finished round trips of the strategy; None where not known: too few.
        model_sections: Sections about the model: the grade uses `timing` and `sensitivity`, the
            sentence `price_level` and `forecasts`.
        rates: Interest rates on the bars of `returns`; None for 0. Every ratio and test is of the
            returns above the risk-free rate.
    """

    returns: pd.DataFrame
    periods_per_year: float
    trials: TrialSet | None = None
    round_trips: int | None = None
    model_sections: ModelSections = field(default_factory=ModelSections)
    rates: RatesByBar | None = None

    @property
    def risk_free_rate(self) -> AnnualRate:
        """The risk-free rate over the bars."""
        return AnnualRate.summarise(self.rates.risk_free) if self.rates else AnnualRate()

    @cached_property
    def excess_returns(self) -> pd.DataFrame:
        """The returns of the books above the risk-free rate."""
        return self.rates.excess(self.returns) if self.rates else self.returns

    @cached_property
    def books(self) -> dict[str, Vector]:
        """Book -> its excess returns, shape (n,); the strategy first."""
        columns = self.excess_returns.to_numpy(dtype=np.float64).T
        names = map(str, self.excess_returns.columns)
        return {name: column.copy() for name, column in zip(names, columns, strict=True)}

    @cached_property
    def counted_trials(self) -> TrialSet:
        """The trials with the run's own books; the run alone where the ledger is not known."""
        returns = self.excess_returns
        interval = self.trials.own.interval if self.trials else _ANY_INTERVAL
        own = Trial(0, interval, returns[str(returns.columns[0])], returns.get(BUY_AND_HOLD))
        return replace(self.trials, own=own) if self.trials else TrialSet(own=own)


@dataclass(frozen=True)
class BookInference:
    """Bootstrap of the Sharpe ratios of a run's books, and of the strategy's differences to them.

    Attributes:
        sharpes: Of each book, the strategy first.
        differences: Strategy minus benchmark, by benchmark.
    """

    sharpes: dict[str, SharpeInference]
    differences: dict[str, SharpeInference]


def infer_books(
    inputs: VerdictInputs, spec: EvaluationSpec, rng: np.random.Generator
) -> BookInference:
    """Interval and test of each book's Sharpe ratio, and of each difference to the strategy.

    Args:
        inputs: The run.
        spec: Number of resamples and level.
        rng: Its seed determines all draws; those for one book do not depend on the other books.
    """
    strategy, *benchmarks = inputs.books
    books = inputs.books
    single = {f"{book} alone": [values] for book, values in books.items()}
    paired = {f"against {book}": [books[strategy], books[book]] for book in benchmarks}
    inferred = infer_sharpe_ratios({**single, **paired}, inputs.periods_per_year, spec, rng)
    return BookInference(
        sharpes={book: inferred[f"{book} alone"] for book in books},
        differences={book: inferred[f"against {book}"] for book in benchmarks},
    )


def gather_evidence(inputs: VerdictInputs, inferred: BookInference, confidence: float) -> Evidence:
    """The figures that the verdict is drawn from.

    Args:
        inputs: The run.
        inferred: Intervals and tests of its books.
        confidence: Their level.
    """
    strategy, *benchmarks = inputs.books
    index, sections = inputs.returns.index, inputs.model_sections
    level = significance_level(confidence)
    return Evidence(
        sharpe=inferred.sharpes[strategy],
        differences=inferred.differences,
        p_values_holm=holm_by_name(
            {book: each.p_value for book, each in inferred.differences.items()}
        ),
        benchmark_sharpes={book: inferred.sharpes[book].estimate for book in benchmarks},
        confidence=confidence,
        span=(f"{index[0]:%Y-%m-%d}", f"{index[-1]:%Y-%m-%d}"),
        periods_per_year=inputs.periods_per_year,
        trial_counts=_count_trials(inputs.trials) if inputs.trials else None,
        selected_sharpe=run_sharpe_selection_test(inputs.counted_trials, level),
        selected_lead=run_lead_selection_test(inputs.counted_trials, level),
        round_trips=inputs.round_trips,
        timing_p_value=sections.timing.p_value if sections.timing else None,
        cost_bps=sections.sensitivity.chosen.cost_bps if sections.sensitivity else None,
        break_even_multiple=_break_even_multiple(sections.sensitivity),
        ruined_on=_find_ruin(inputs.returns.iloc[:, 0]),
        risk_free_pct=inputs.risk_free_rate.mean_pct,
    )


def grade_run(inputs: VerdictInputs, spec: EvaluationSpec, rng: np.random.Generator) -> Grade:
    """The grade of the run, that of its `significance.json`, without the document.

    Nothing is computed that cannot change it: most runs without skill fail a condition that takes
    no resamples.

    Args:
        inputs: The run.
        spec: Number of resamples and level.
        rng: Its seed determines all draws.
    """
    if not _may_be_graded(inputs, significance_level(spec.confidence)):
        return "none"
    inferred = infer_books(inputs, spec, rng)
    return grade_evidence(gather_evidence(inputs, inferred, spec.confidence))


def _may_be_graded(inputs: VerdictInputs, level: float) -> bool:
    """Whether the run passes the conditions of `weak` that take no resamples.

    The p-value without the other trials, or with some of them, is at most that with all.
    """
    own, *rivals = (sharpe(book, inputs.periods_per_year) for book in inputs.books.values())
    if own is None or any(rival is not None and rival >= own for rival in rivals):
        return False
    every = inputs.counted_trials
    alone = (studentise_sharpe(as_vector(every.own.returns)), studentise_lead(every.own))
    if any(estimate is None or estimate.p_value > level for estimate in alone):
        return False
    few = replace(every, others=every.others[:_FEW_TRIALS], elsewhere=0)
    tested = (run_sharpe_selection_test(few, level), run_lead_selection_test(few, level))
    return all(test is not None and test.p_value <= level for test in tested)


def _count_trials(trials: TrialSet) -> TrialCounts:
    return TrialCounts(trials.distinct, trials.elsewhere, trials.idea)


def _find_ruin(returns: pd.Series[float]) -> str | None:
    """Date of the bar at which a book lost everything; None where it did not."""
    ruined = returns.index[returns.to_numpy() <= -1.0]
    return f"{ruined[0]:%Y-%m-%d}" if len(ruined) else None


def _break_even_multiple(surface: SensitivityFigures | None) -> float | None:
    """Cost at which the total return is 0 over that charged, or a lower bound; None without."""
    if surface is None or not surface.chosen.cost_bps:
        return None
    limit = surface.break_even_cost_bps
    highest = surface.searched_to_bps if limit is None else limit
    return None if highest is None else highest / surface.chosen.cost_bps
