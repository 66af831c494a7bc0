"""The verdict on a strategy: a grade of the evidence for skill."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.evaluation.inference.bootstrap import SharpeInference
    from engine.evaluation.inference.selection import SelectionTest
    from engine.evaluation.inference.trial_set import IdeaLooks

Grade = Literal["none", "weak", "moderate", "strong"]

BUY_AND_HOLD = "buy_and_hold"
"""Name of the book that every grade must beat."""

HIGHEST_LEVEL = 0.05
"""Level of the tests of a grade; a run of more than 95 % confidence has a lower one."""

MODERATE_SHARE = 0.2
"""Share of that level at which the evidence is moderate: 1 %."""

COST_MARGIN = 2.0
"""Strong evidence keeps a profit at this multiple of the cost paid."""

MIN_ROUND_TRIPS = 10
"""Fewest finished round trips of any grade."""

MIN_EFFECTIVE_BARS = 10.0
"""Fewest bars that carry the Sharpe ratio, see `studentised_estimate.count_effective_bars`."""


@dataclass(frozen=True)
class TrialCounts:
    """The looks in the ledger that a run is one of.

    Attributes:
        distinct: Number of different looks, this one included.
        elsewhere: Number of declared tries that the ledger cannot know.
        idea: Looks at the same idea, this one included; None where not known.
    """

    distinct: int = 1
    elsewhere: int = 0
    idea: IdeaLooks | None = None


@dataclass(frozen=True)
class Evidence:
    """The figures that a verdict is drawn from.

    Attributes:
        sharpe: Interval and test of the strategy's Sharpe ratio.
        differences: Of strategy minus benchmark, by benchmark.
        p_values_holm: Holm-adjusted p-value of each difference; None where there is no test.
        benchmark_sharpes: Sharpe ratio of each benchmark; None where it is not defined.
        confidence: Level of the intervals.
        span: First and last date.
        periods_per_year: Bars a year.
        trial_counts: Looks in the ledger; None where they are not known.
        selected_sharpe: Test of the Sharpe ratio against the best of all trials without skill;
            None where it is not defined.
        selected_lead: The same of the lead over holding.
        round_trips: Finished round trips; None where not known, which counts as too few.
        timing_p_value: p-value of the timing permutation test; None where it is not defined.
        cost_bps: Fee and slippage of a fill; None where not known.
        break_even_multiple: Cost at which the total return is 0, over the cost paid; at least that
            where the search ends before; None without costs.
        ruined_on: Date on which the strategy lost everything; None where it did not.
        risk_free_pct: Mean annual risk-free rate, per cent, above which the returns count.
    """

    sharpe: SharpeInference
    differences: Mapping[str, SharpeInference]
    p_values_holm: Mapping[str, float | None]
    benchmark_sharpes: Mapping[str, float | None]
    confidence: float
    span: tuple[str, str]
    periods_per_year: float
    trial_counts: TrialCounts | None
    selected_sharpe: SelectionTest | None
    selected_lead: SelectionTest | None
    round_trips: int | None = None
    timing_p_value: float | None = None
    cost_bps: float | None = None
    break_even_multiple: float | None = None
    ruined_on: str | None = None
    risk_free_pct: float = 0.0

    @property
    def level(self) -> float:
        """Level of the tests: 5 %, or less where the confidence of the run is above 95 %."""
        return significance_level(self.confidence)

    def beaten_benchmarks(self) -> list[str]:
        """The benchmarks with a lower Sharpe ratio, significant after Holm's adjustment."""
        return [
            name
            for name, difference in self.differences.items()
            if (difference.estimate or 0.0) > 0 and is_below(self.p_values_holm[name], self.level)
        ]

    def has_positive_sharpe(self) -> bool:
        """Whether the interval of the strategy's Sharpe ratio lies above 0."""
        return (self.sharpe.low or 0.0) > 0

    def has_highest_sharpe(self) -> bool:
        """Whether the strategy has a higher Sharpe ratio than every benchmark."""
        rivals = [ratio for ratio in self.benchmark_sharpes.values() if ratio is not None]
        return self.sharpe.estimate is not None and self.sharpe.estimate > max(
            rivals, default=-math.inf
        )

    def has_enough_trades(self) -> bool:
        """Whether enough round trips and enough bars carry the Sharpe ratio and the lead."""
        tests = [test for test in (self.selected_sharpe, self.selected_lead) if test]
        return (self.round_trips or 0) >= MIN_ROUND_TRIPS and all(
            test.effective_bars >= MIN_EFFECTIVE_BARS for test in tests
        )

    def is_selected_by_skill(self, level: float) -> bool:
        """Whether Sharpe ratio and lead both beat the best of all trials without skill."""
        tests = (self.selected_sharpe, self.selected_lead)
        return all(test is not None and test.p_value <= level for test in tests)

    def passes_further_tests(self) -> bool:
        """Whether every benchmark, the timing test and the doubled costs are passed."""
        return (
            len(self.beaten_benchmarks()) == len(self.differences)
            and is_below(self.timing_p_value, self.level)
            and self.break_even_multiple is not None
            and self.break_even_multiple >= COST_MARGIN
        )

    def strongest_benchmark(self) -> str | None:
        """The benchmark with the highest Sharpe ratio; None if none has one."""
        known = {
            name: ratio for name, ratio in self.benchmark_sharpes.items() if ratio is not None
        }
        return max(known, key=lambda name: known[name]) if known else None


def significance_level(confidence: float) -> float:
    """Level of the tests that a grade needs: 1 - confidence, at most 5 %."""
    return min(HIGHEST_LEVEL, 1.0 - confidence)


def is_below(p_value: float | None, level: float) -> bool:
    """Whether a test that is defined is significant."""
    return p_value is not None and p_value < level


def grade_evidence(evidence: Evidence) -> Grade:
    """Grades the evidence that the strategy earns more than chance and than holding.

    The level is 5 %, or 1 - confidence where that is lower.

    - none: anything less than weak.
    - weak: the interval of its Sharpe ratio is wholly above 0; no benchmark has as high a Sharpe
      ratio; it has at least 10 round trips, and 10 effective bars carry its Sharpe ratio and its
      lead over holding; and at the level both are higher than those of the best of all trials
      without skill.
    - moderate: the same at one fifth of the level, costs are charged, and the trials are known.
    - strong: moderate, and it beats every benchmark (a higher Sharpe ratio with a Holm-adjusted
      p-value below the level); the timing test has a p-value below the level; and it still earns
      money at twice the cost paid.

    A condition that is not defined is not passed. All trials count that the ledger has, and those
    declared as made elsewhere; where the ledger could not be read, the grade is at most weak.
    """
    if not (
        evidence.has_positive_sharpe()
        and evidence.has_highest_sharpe()
        and evidence.has_enough_trades()
        and evidence.is_selected_by_skill(evidence.level)
    ):
        return "none"
    if not (
        evidence.is_selected_by_skill(MODERATE_SHARE * evidence.level)
        and evidence.cost_bps
        and evidence.trial_counts is not None
    ):
        return "weak"
    return "strong" if evidence.passes_further_tests() else "moderate"


def cap_grade(
    own_grade: Grade,
    sharpe_p_value: float | None,
    lead_p_value: float | None,
    confidence: float,
) -> Grade:
    """Lowers a grade to what its tests with more trials allow; it never rises.

    Args:
        own_grade: Grade before.
        sharpe_p_value: Of the Sharpe ratio, all trials counted; None where it is not defined.
        lead_p_value: Of the lead over holding, likewise.
        confidence: Confidence level of the run.
    """
    if own_grade == "none" or sharpe_p_value is None or lead_p_value is None:
        return "none"
    highest, level = max(sharpe_p_value, lead_p_value), significance_level(confidence)
    if highest > level:
        return "none"
    return "weak" if highest > MODERATE_SHARE * level else own_grade
