"""One plain sentence: was it more than luck, and more than simple rules?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.evaluation.inference.bootstrap import SharpeInference

Grade = Literal["none", "weak", "moderate", "strong"]

BENCHMARK = "buy_and_hold"


COST_MARGIN = 2.0
"""Strong evidence outlives this many times the cost that was paid."""


@dataclass(frozen=True)
class TrialCounts:
    """How many strategies the ledger holds for these bars.

    Attributes:
        distinct: Different ones, this run's among them.
        effective: As many independent ones they are worth.
    """

    distinct: int = 1
    effective: int = 1


@dataclass(frozen=True)
class Evidence:
    """What a verdict is drawn from.

    Attributes:
        sharpe: Of the strategy.
        differences: Strategy less opponent, by opponent.
        p_values_holm: Holm-adjusted p-value of each difference, None where there is no test.
        opponents: Sharpe ratio of each opponent, None where there is none.
        confidence: Level of the intervals; a test is passed below 1 - confidence.
        span: First and last date.
        trial_counts: How many strategies were tried on these bars, this one among them; None where
            nobody knows.
        deflated_sharpe: Deflated Sharpe ratio: the chance that the true Sharpe ratio is above what
            the best of so many tries gets by luck alone; None where it is not defined.
        superior_to_benchmark: Whether StepM counts the strategy among the books better than the
            benchmark; None where that cannot be tested.
        timing_p_value: p-value of the timing of its positions; None where there is no timing to
            test.
        break_even_multiple: Cost at which its mean return is 0, over the cost it paid; None where
            it pays none or earns nothing even without.
    """

    sharpe: SharpeInference
    differences: Mapping[str, SharpeInference]
    p_values_holm: Mapping[str, float | None]
    opponents: Mapping[str, float | None]
    confidence: float
    span: tuple[str, str]
    trial_counts: TrialCounts | None
    deflated_sharpe: float | None
    superior_to_benchmark: bool | None = None
    timing_p_value: float | None = None
    break_even_multiple: float | None = None

    def beaten_opponents(self) -> list[str]:
        """The opponents that the strategy beats, by Holm's adjusted test."""
        return [
            name
            for name, difference in self.differences.items()
            if (difference.estimate or 0.0) > 0 and self._is_significant(self.p_values_holm[name])
        ]

    def has_positive_sharpe(self) -> bool:
        """Whether the interval of the strategy's Sharpe ratio lies above 0."""
        return (self.sharpe.low or 0.0) > 0

    def has_highest_sharpe(self) -> bool:
        """Whether no opponent has as high a Sharpe ratio as the strategy."""
        rivals = [ratio for ratio in self.opponents.values() if ratio is not None]
        return self.sharpe.estimate is not None and self.sharpe.estimate > max(
            rivals, default=-math.inf
        )

    def deflated_sharpe_reaches(self, level: float) -> bool:
        """Whether the deflated Sharpe ratio reaches a level."""
        return self.deflated_sharpe is not None and self.deflated_sharpe >= level

    def passes_further_tests(self) -> bool:
        """Whether every further test that can be made speaks for it."""
        return (
            self.superior_to_benchmark is not False
            and (self.timing_p_value is None or self._is_significant(self.timing_p_value))
            and (self.break_even_multiple is None or self.break_even_multiple >= COST_MARGIN)
        )

    def strongest_opponent(self) -> str | None:
        """The opponent with the highest Sharpe ratio, None if none has one."""
        known = {name: ratio for name, ratio in self.opponents.items() if ratio is not None}
        return max(known, key=lambda name: known[name]) if known else None

    def _is_significant(self, p_value: float | None) -> bool:
        return p_value is not None and p_value < 1 - self.confidence


def grade_evidence(evidence: Evidence) -> Grade:
    """How much evidence there is that the strategy earns more than luck and simple rules.

    With c the confidence (0.95 unless the strategy says otherwise):

    - none: the interval of its Sharpe ratio is not wholly above 0, or an opponent has as high a
      Sharpe ratio, or it beats no opponent, or its deflated Sharpe ratio is below 1 - 2 (1 - c)
      (0.90).
    - weak: none of these, but it does not beat buy-and-hold, or its deflated Sharpe ratio is
      below c.
    - moderate: it beats buy-and-hold, and its deflated Sharpe ratio is at least c.
    - strong: moreover it beats every opponent; StepM counts it among the books that are better
      than the benchmark; the timing of its positions has a p-value below 1 - c; and it would
      have outlived twice the cost it paid. A test that cannot be made does not count against it.

    "Beats" means a higher Sharpe ratio with a Holm-adjusted p-value below 1 - c. Without opponents
    nothing is beaten. How many strategies were tried on these bars the deflated Sharpe ratio
    knows, as far as the ledger does.
    """
    beaten, level = evidence.beaten_opponents(), evidence.confidence
    if not (evidence.has_positive_sharpe() and evidence.has_highest_sharpe() and beaten):
        return "none"
    if not evidence.deflated_sharpe_reaches(1 - 2 * (1 - level)):
        return "none"
    if BENCHMARK not in beaten or not evidence.deflated_sharpe_reaches(level):
        return "weak"
    everyone = len(beaten) == len(evidence.differences)
    return "strong" if everyone and evidence.passes_further_tests() else "moderate"


def cap_grade(own_grade: Grade, deflated_sharpe: float | None, confidence: float) -> Grade:
    """What a grade comes to when more trials are known than when it was given.

    All else that it was drawn from is as it was: it falls to what `grade_evidence` allows at the
        deflated
    Sharpe ratio, and never rises.

    Args:
        own_grade: As it was given.
        deflated_sharpe: Deflated Sharpe ratio, all trials counted; None where it is not defined.
        confidence: Of the run.
    """
    if deflated_sharpe is None or deflated_sharpe < 1 - 2 * (1 - confidence):
        return "none"
    return "weak" if deflated_sharpe < confidence and own_grade != "none" else own_grade


def verdict_sentence(evidence: Evidence) -> str:
    """The verdict in words: effect, interval, span, strongest opponent, and the tries counted."""
    span = "from {} to {}".format(*evidence.span)
    ratio = evidence.sharpe.estimate
    if ratio is None:
        return (
            "No evidence that the strategy earns anything: too few bars, or too few trades, for "
            f"a Sharpe ratio {span}."
        )
    figures = (
        f"Sharpe {ratio:.2f} a year{_format_interval(evidence.sharpe, evidence.confidence)} {span}"
    )
    if not evidence.differences:
        return (
            f"{_claim(evidence)}: {figures}, and it had no opponents. {_trials_sentence(evidence)}"
        )
    return (
        f"{_claim(evidence)}: {figures}; {_strongest_opponent_clause(evidence)}. "
        f"{_trials_sentence(evidence)}"
    )


def _claim(evidence: Evidence) -> str:
    """What is said before the figures."""
    beaten = evidence.beaten_opponents()
    if not evidence.has_positive_sharpe():
        return "No evidence that the strategy earns more than luck would"
    if not evidence.differences:
        return "No evidence that the strategy earns more than simple rules"
    if not evidence.has_highest_sharpe():
        return "No evidence that the strategy earns more than a simpler book does"
    if not beaten:
        return "No evidence that the strategy beats any of its opponents"
    if grade_evidence(evidence) == "none":
        return "No evidence that the strategy earns more than the luckiest of the strategies tried"
    others = [name for name in evidence.differences if name not in beaten]
    but = f" but not {_join_names(others)}" if others else ""
    return (
        f"{grade_evidence(evidence).capitalize()} evidence that the strategy earns more than "
        f"luck would "
        f"and beats {_join_names(beaten)}{but}"
    )


def _trials_sentence(evidence: Evidence) -> str:
    """How many were tried, and what that leaves of the Sharpe ratio."""
    tried = evidence.trial_counts
    if tried is None:
        told = "How many strategies were tried on these bars is not known"
    elif tried.distinct < 2:
        told = "It is the first strategy tried on these bars, as far as the ledger knows"
    else:
        told = (
            f"{tried.distinct} strategies were tried on these bars, worth {tried.effective} "
            f"independent {'one' if tried.effective == 1 else 'ones'}"
        )
    if evidence.deflated_sharpe is None:
        return f"{told}."
    chosen = "luck" if tried is None or tried.effective < 2 else "the luckiest of so many"
    return (
        f"{told}: deflated Sharpe ratio {evidence.deflated_sharpe:.2f}, the probability that it "
        f"is "
        f"better than {chosen}."
    )


def no_skill_sentence(forecasts: Mapping[str, float | int | None]) -> str | None:
    """Says so where the forecasts do no better than "no change" or "always up".

    Args:
        forecasts: Scores of the strategy's forecasts, as `forecast_scores` gives them.

    Returns:
        A sentence; None where they do better than both, or where there is nothing to compare.
    """
    faults = []
    explained = forecasts["r2_vs_persistence"]
    if explained is not None and explained <= 0:
        faults.append(f"their errors are no smaller than no-change's (R² {explained:.4f})")
    right, up = forecasts["directional_accuracy_pct"], forecasts["up_share_pct"]
    if right is not None and up is not None and right <= up:
        faults.append(
            f"their direction is right {right:.1f} % of the time, always saying up {up:.1f} %"
        )
    return f"The forecasts show no skill: {', and '.join(faults)}." if faults else None


def _format_interval(inference: SharpeInference, confidence: float) -> str:
    if inference.low is None or inference.high is None:
        return " (no interval)"
    return f" ({confidence * 100:g} % interval {inference.low:.2f} to {inference.high:.2f})"


def _strongest_opponent_clause(evidence: Evidence) -> str:
    name = evidence.strongest_opponent()
    if name is None:
        return "no opponent has a Sharpe ratio to compare with"
    difference = evidence.differences[name]
    text = f"the strongest opponent, {_display_name(name)}, has {evidence.opponents[name]:.2f}"
    if difference.estimate is None:
        return text
    interval = _format_interval(difference, evidence.confidence)
    return f"{text}, a difference of {difference.estimate:+.2f}{interval}"


def _display_name(opponent: str) -> str:
    return opponent.replace("_", " ")


def _join_names(opponents: list[str]) -> str:
    names = [_display_name(book) for book in opponents]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
