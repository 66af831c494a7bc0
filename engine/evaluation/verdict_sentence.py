"""The verdict in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.name_lists import join_names
from engine.evaluation.verdict import (
    BUY_AND_HOLD,
    HIGHEST_LEVEL,
    MIN_EFFECTIVE_BARS,
    MIN_ROUND_TRIPS,
    grade_evidence,
)

if TYPE_CHECKING:
    from engine.evaluation.inference.bootstrap import SharpeInference
    from engine.evaluation.inference.selection import SelectionTest
    from engine.evaluation.inference.trial_set import IdeaLooks
    from engine.evaluation.verdict import Evidence, TrialCounts

BEST_BY_CHANCE = "the best of so many trials by chance"

SOUGHT_SHARPE = 1.0
"""Annual Sharpe ratio, or lead, that a span long enough would show; the words depend on it."""


def verdict_sentence(evidence: Evidence) -> str:
    """The verdict in words: effect, interval, rate, span, benchmark, trials counted, power."""
    span = "from {} to {}".format(*evidence.span)
    if evidence.ruined_on is not None:
        return (
            "No evidence that the strategy earns anything: it lost everything on "
            f"{evidence.ruined_on}, {span}."
        )
    ratio = evidence.sharpe.estimate
    if ratio is None:
        return (
            "No evidence that the strategy earns anything: too few bars, or too few trades, for "
            f"a Sharpe ratio {span}."
        )
    interval = _format_interval(evidence.sharpe, evidence.confidence)
    over = f"over a risk-free rate of {evidence.risk_free_pct:.2g} %"
    figures = f"annualised Sharpe ratio {ratio:.2f}{interval} {over} {span}"
    sentences = [
        f"{_claim(evidence)}: {figures}; {_strongest_benchmark_clause(evidence)}.",
        _trials_sentence(evidence),
        _trades_sentence(evidence),
        _limits_sentence(evidence),
        _power_sentence(evidence),
    ]
    return " ".join(filter(None, sentences))


def _claim(evidence: Evidence) -> str:
    """The part of the sentence before the figures."""
    grade = grade_evidence(evidence)
    if grade == "none":
        return f"No evidence that the strategy {_missing_evidence(evidence)}"
    beaten = evidence.beaten_benchmarks()
    names = [display_name(name) for name in beaten if name != BUY_AND_HOLD]
    others = [display_name(name) for name in evidence.differences if name not in beaten]
    beats = f", and beats {join_names(names)}" if names else ""
    but = f", but does not beat {join_names(others)}" if others else ""
    return (
        f"{grade.capitalize()} evidence that the strategy earns more than chance and holding "
        f"would give{beats}{but}"
    )


def _missing_evidence(evidence: Evidence) -> str:
    """What a strategy without a grade has not shown: the first of the conditions it fails."""
    if not evidence.has_positive_sharpe():
        certain = _passes(evidence.selected_sharpe, evidence)
        but = " for certain (the interval of its Sharpe ratio includes 0)" if certain else ""
        return f"earns more than chance would give{but}"
    if not evidence.has_highest_sharpe():
        return "earns more than its strongest benchmark"
    if not evidence.has_enough_trades():
        return "earns more than chance would give (it trades too rarely to tell)"
    if not _passes(evidence.selected_sharpe, evidence):
        return f"earns more than {_reference(evidence)}"
    if evidence.selected_lead is None:
        return "earns more than holding (it is holding, or holding has no Sharpe ratio)"
    by_chance = "" if _is_single(evidence) else f" by more than {BEST_BY_CHANCE}"
    return f"leads holding{by_chance}" if by_chance else "earns more than holding would give"


def _reference(evidence: Evidence) -> str:
    return "chance would give" if _is_single(evidence) else BEST_BY_CHANCE


def _is_single(evidence: Evidence) -> bool:
    counts = evidence.trial_counts
    return counts is None or counts.distinct + counts.elsewhere < 2


def _passes(test: SelectionTest | None, evidence: Evidence) -> bool:
    return test is not None and test.p_value <= evidence.level


def _trials_sentence(evidence: Evidence) -> str:
    """The looks that are counted, and how often their best is as good without skill."""
    sharpe, lead = evidence.selected_sharpe, evidence.selected_lead
    counts = _count_looks(evidence.trial_counts)
    if sharpe is None:
        return f"{counts}."
    if _is_single(evidence):
        chance = f"chance alone reaches this Sharpe ratio with {equate_p_value(sharpe.p_value)}"
    else:
        counts += f", together worth {sharpe.effective_trials:.1f} independent ones"
        chance = (
            "without skill the best of them reaches this Sharpe ratio with "
            f"{equate_p_value(sharpe.p_value)}"
        )
    over_holding = (
        f", and this lead over holding with {equate_p_value(lead.p_value)}" if lead else ""
    )
    return f"{counts}: {chance}{over_holding}."


def _count_looks(counts: TrialCounts | None) -> str:
    if counts is None:
        return (
            "How many strategies were tried on these bars is not known, which caps the grade at "
            "weak"
        )
    declared = f", {counts.elsewhere} more are declared" if counts.elsewhere else ""
    again = counts.idea is not None and counts.idea.looks > 1
    if counts.distinct < 2 and not again:
        return f"It is the first look that the ledger knows{declared}"
    looks = "1 look" if counts.distinct == 1 else f"{counts.distinct} looks"
    idea = f" ({describe_idea(counts.idea)})" if counts.idea and again else ""
    return f"The ledger counts {looks}{declared}{idea}"


def describe_idea(idea: IdeaLooks) -> str:
    """`this idea has been looked at 3 times, from 3 start dates`, for the middle of a sentence."""
    if idea.looks < 2:
        return "this idea has been looked at once"
    changed = [
        f"{word} {count} {noun}"
        for word, count, noun in (
            ("from", idea.start_dates, "start dates"),
            ("to", idea.end_dates, "end dates"),
            ("on", idea.targets, "targets"),
            ("in", idea.datasets, "datasets"),
            ("at", idea.intervals, "intervals"),
            ("with", idea.benchmarks, "sets of benchmarks"),
            ("at", idea.confidences, "levels of confidence"),
        )
        if count > 1
    ]
    over = f", {join_names(changed)}" if changed else ""
    return f"this idea has been looked at {idea.looks} times{over}"


def _trades_sentence(evidence: Evidence) -> str:
    """Where too little trade carries the result to grade it."""
    if evidence.has_enough_trades():
        return ""
    parts = []
    trips = evidence.round_trips
    if (trips or 0) < MIN_ROUND_TRIPS:
        parts.append(f"{trips or 'no'} finished round trips, of {MIN_ROUND_TRIPS} needed")
    tests = [test for test in (evidence.selected_sharpe, evidence.selected_lead) if test]
    fewest = min((test.effective_bars for test in tests), default=MIN_EFFECTIVE_BARS)
    if fewest < MIN_EFFECTIVE_BARS:
        parts.append(f"{fewest:.0f} bars carry the result, of {MIN_EFFECTIVE_BARS:.0f} needed")
    return f"Too few trades for a grade: {join_names(parts)}."


def _limits_sentence(evidence: Evidence) -> str:
    """What keeps a grade from being higher, where the settings do."""
    if grade_evidence(evidence) != "none" and not evidence.cost_bps:
        return "No costs are charged, so that the evidence is weak at most."
    if evidence.confidence < 1.0 - HIGHEST_LEVEL:
        return (
            f"The grade is judged at {100 * (1 - evidence.level):g} %, whatever lower confidence "
            "the intervals have."
        )
    return ""


def _power_sentence(evidence: Evidence) -> str:
    """What these bars could have shown, where a p-value denies the grade; empty otherwise."""
    sharpe, lead = evidence.selected_sharpe, evidence.selected_lead
    if sharpe is None:
        return ""
    if not _passes(sharpe, evidence):
        failed, what = sharpe, "Sharpe ratio"
    elif lead is not None and not _passes(lead, evidence):
        failed, what = lead, "lead over holding"
    else:
        return ""
    detectable = failed.detectable * evidence.periods_per_year**0.5
    if detectable > SOUGHT_SHARPE:
        return (
            f"The span is too short to tell: only a true {what} of {detectable:.2f} or more would "
            "be found in 80 % of such samples."
        )
    return (
        f"The span is long enough, and shows nothing: a true {what} of {detectable:.2f} would be "
        "found in 80 % of such samples."
    )


def equate_p_value(p_value: float) -> str:
    """`p = 0.031`, `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


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
    text = f"the strongest benchmark, {display_name(name)}, has {ratio:.2f}"
    if difference.estimate is None:
        return text
    interval = _format_interval(difference, evidence.confidence)
    return f"{text}, a difference of {difference.estimate:+.2f}{interval}"


def display_name(book: str) -> str:
    """The name of a book in a sentence."""
    return book.replace("_", " ")
