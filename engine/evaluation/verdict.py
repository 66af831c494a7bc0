"""The verdict on a strategy: a grade of the evidence for skill, and a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.core.name_lists import join_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.evaluation.inference.bootstrap import SharpeInference

Grade = Literal["none", "weak", "moderate", "strong"]

BUY_AND_HOLD = "buy_and_hold"
"""Name of the book that a grade above weak must beat."""

BEST_BY_CHANCE = "the best of so many trials by chance"

COST_MARGIN = 2.0
"""Strong evidence keeps a Sharpe ratio above 0 at this multiple of the cost paid."""


@dataclass(frozen=True)
class TrialCounts:
    """Number of strategies in the ledger on these bars.

    Attributes:
        distinct: Number of different strategies, this one included.
        effective: Effective number of independent ones.
    """

    distinct: int = 1
    effective: int = 1


@dataclass(frozen=True)
class Evidence:
    """The figures that a verdict is drawn from.

    Attributes:
        sharpe: Interval and test of the strategy's Sharpe ratio.
        differences: Of strategy minus benchmark, by benchmark.
        p_values_holm: Holm-adjusted p-value of each difference; None where there is no test.
        benchmark_sharpes: Sharpe ratio of each benchmark; None where it is not defined.
        confidence: Level of the intervals; a test is significant below 1 - confidence.
        span: First and last date.
        trial_counts: Number of strategies tried on these bars, this one included; None where it is
            not known.
        deflated_sharpe: Deflated Sharpe ratio: probability that the true Sharpe ratio is above the
            expected maximum of so many trials without skill; None where it is not defined.
        superior_to_benchmark: Whether StepM selects the strategy as better than buy-and-hold (or
            the first benchmark); None where that cannot be tested.
        timing_p_value: p-value of the timing permutation test; None where it is not defined.
        break_even_multiple: Break-even cost over the cost paid; None without costs, or where the
            mean return is not positive without costs.
    """

    sharpe: SharpeInference
    differences: Mapping[str, SharpeInference]
    p_values_holm: Mapping[str, float | None]
    benchmark_sharpes: Mapping[str, float | None]
    confidence: float
    span: tuple[str, str]
    trial_counts: TrialCounts | None
    deflated_sharpe: float | None
    superior_to_benchmark: bool | None = None
    timing_p_value: float | None = None
    break_even_multiple: float | None = None

    def beaten_benchmarks(self) -> list[str]:
        """The benchmarks with a lower Sharpe ratio, significant after Holm's adjustment."""
        return [
            name
            for name, difference in self.differences.items()
            if (difference.estimate or 0.0) > 0 and self._is_significant(self.p_values_holm[name])
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

    def deflated_sharpe_reaches(self, level: float) -> bool:
        """Whether the deflated Sharpe ratio reaches a level."""
        return self.deflated_sharpe is not None and self.deflated_sharpe >= level

    def passes_further_tests(self) -> bool:
        """Whether the strategy passes all further tests that are defined."""
        return (
            self.superior_to_benchmark is not False
            and (self.timing_p_value is None or self._is_significant(self.timing_p_value))
            and (self.break_even_multiple is None or self.break_even_multiple >= COST_MARGIN)
        )

    def strongest_benchmark(self) -> str | None:
        """The benchmark with the highest Sharpe ratio; None if none has one."""
        known = {
            name: ratio for name, ratio in self.benchmark_sharpes.items() if ratio is not None
        }
        return max(known, key=lambda name: known[name]) if known else None

    def _is_significant(self, p_value: float | None) -> bool:
        return p_value is not None and p_value < 1 - self.confidence


def grade_evidence(evidence: Evidence) -> Grade:
    """Grades the evidence that the strategy earns more than chance and than simple rules.

    With c the confidence (0.95 unless the strategy sets another one):

    - none: the interval of its Sharpe ratio is not wholly above 0, or a benchmark has as high a
      Sharpe ratio, or it beats no benchmark, or its deflated Sharpe ratio is below 1 - 2 (1 - c)
      (0.90).
    - weak: none of these, but it does not beat buy-and-hold, or its deflated Sharpe ratio is
      below c.
    - moderate: it beats buy-and-hold, and its deflated Sharpe ratio is at least c.
    - strong: it also beats every benchmark; StepM selects it as better than buy-and-hold; the
      timing test has a p-value below 1 - c; and its break-even cost is at least twice the cost
      paid. A test that is not defined does not count against it.

    "Beats" means a higher Sharpe ratio with a Holm-adjusted p-value below 1 - c; without
    benchmarks none is beaten. The deflated Sharpe ratio accounts for the strategies tried on these
    bars, as far as they are in the ledger.
    """
    beaten, level = evidence.beaten_benchmarks(), evidence.confidence
    if not (evidence.has_positive_sharpe() and evidence.has_highest_sharpe() and beaten):
        return "none"
    if not evidence.deflated_sharpe_reaches(1 - 2 * (1 - level)):
        return "none"
    if BUY_AND_HOLD not in beaten or not evidence.deflated_sharpe_reaches(level):
        return "weak"
    beats_all = len(beaten) == len(evidence.differences)
    return "strong" if beats_all and evidence.passes_further_tests() else "moderate"


def cap_grade(own_grade: Grade, deflated_sharpe: float | None, confidence: float) -> Grade:
    """Lowers a grade to what its deflated Sharpe ratio with more trials allows.

    All other evidence is unchanged: the grade falls to what `grade_evidence` allows at this
    deflated Sharpe ratio, and never rises.

    Args:
        own_grade: Grade before.
        deflated_sharpe: Deflated Sharpe ratio with all trials; None where it is not defined.
        confidence: Confidence level of the run.
    """
    if deflated_sharpe is None or deflated_sharpe < 1 - 2 * (1 - confidence):
        return "none"
    return "weak" if deflated_sharpe < confidence and own_grade != "none" else own_grade


def verdict_sentence(evidence: Evidence) -> str:
    """The verdict in words: effect, interval, span, strongest benchmark, number of trials."""
    span = "from {} to {}".format(*evidence.span)
    ratio = evidence.sharpe.estimate
    if ratio is None:
        return (
            "No evidence that the strategy earns anything: too few bars, or too few trades, for "
            f"a Sharpe ratio {span}."
        )
    interval = _format_interval(evidence.sharpe, evidence.confidence)
    figures = f"annualised Sharpe ratio {ratio:.2f}{interval} {span}"
    if not evidence.differences:
        return f"{_claim(evidence)}: {figures}, without benchmarks. {_trials_sentence(evidence)}"
    return (
        f"{_claim(evidence)}: {figures}; {_strongest_benchmark_clause(evidence)}. "
        f"{_trials_sentence(evidence)}"
    )


def _claim(evidence: Evidence) -> str:
    """The part of the sentence before the figures."""
    beaten = evidence.beaten_benchmarks()
    if not evidence.has_positive_sharpe():
        return "No evidence that the strategy earns more than chance would give"
    if not evidence.differences:
        return "No evidence that the strategy earns more than simple rules"
    if not evidence.has_highest_sharpe():
        return "No evidence that the strategy earns more than its strongest benchmark"
    if not beaten:
        return "No evidence that the strategy beats any of its benchmarks"
    if grade_evidence(evidence) == "none":
        return f"No evidence that the strategy earns more than {BEST_BY_CHANCE}"
    names = [_display_name(name) for name in beaten]
    others = [_display_name(name) for name in evidence.differences if name not in beaten]
    but = f" but not {join_names(others)}" if others else ""
    return (
        f"{grade_evidence(evidence).capitalize()} evidence that the strategy earns more than "
        f"chance would give and beats {join_names(names)}{but}"
    )


def _trials_sentence(evidence: Evidence) -> str:
    """The number of trials, and the deflated Sharpe ratio."""
    trials = evidence.trial_counts
    if trials is None:
        counts = "How many strategies were tried on these bars is not known"
    elif trials.distinct < 2:
        counts = "It is the first strategy tried on these bars, as far as the ledger knows"
    else:
        counts = (
            f"{trials.distinct} strategies were tried on these bars, worth {trials.effective} "
            f"independent {'one' if trials.effective == 1 else 'ones'}"
        )
    if evidence.deflated_sharpe is None:
        return f"{counts}."
    single = trials is None or trials.effective < 2
    reference = "chance" if single else BEST_BY_CHANCE
    return (
        f"{counts}: deflated Sharpe ratio {evidence.deflated_sharpe:.2f}, the probability that it "
        f"is better than {reference}."
    )


def no_skill_sentence(forecasts: Mapping[str, float | int | None]) -> str | None:
    """States that the forecasts are no better than "no change" or than "always up".

    Args:
        forecasts: Scores of the strategy's forecasts, as `scores.score_forecasts` returns them.

    Returns:
        A sentence; None where they are better than both, or where the scores are not defined.
    """
    faults = []
    r2 = forecasts["r2_vs_persistence"]
    if r2 is not None and r2 <= 0:
        faults.append(f"their errors are no smaller than those of no change (R² {r2:.4f})")
    accuracy, up = forecasts["directional_accuracy_pct"], forecasts["up_share_pct"]
    if accuracy is not None and up is not None and accuracy <= up:
        faults.append(
            f"their direction is right {accuracy:.1f} % of the time, always up {up:.1f} %"
        )
    return f"The forecasts show no skill: {', and '.join(faults)}." if faults else None


def _format_interval(inference: SharpeInference, confidence: float) -> str:
    if inference.low is None or inference.high is None:
        return " (no interval)"
    return f" ({confidence * 100:g} % interval {inference.low:.2f} to {inference.high:.2f})"


def _strongest_benchmark_clause(evidence: Evidence) -> str:
    name = evidence.strongest_benchmark()
    if name is None:
        return "no benchmark has a Sharpe ratio to compare with"
    difference = evidence.differences[name]
    ratio = evidence.benchmark_sharpes[name]
    text = f"the strongest benchmark, {_display_name(name)}, has {ratio:.2f}"
    if difference.estimate is None:
        return text
    interval = _format_interval(difference, evidence.confidence)
    return f"{text}, a difference of {difference.estimate:+.2f}{interval}"


def _display_name(book: str) -> str:
    return book.replace("_", " ")
