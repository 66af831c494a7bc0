"""The verdict of a comparison: a grade of the evidence for the best run, and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from engine.core.name_lists import join_names
from engine.evaluation.verdict import Grade, cap_grade, significance_level
from engine.evaluation.verdict_sentence import BEST_BY_CHANCE, equate_p_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.comparison.selection import SelectionBias
    from engine.evaluation.inference.bootstrap import SharpeInference
    from engine.runs.documents.significance import SuperiorityFigures


GRADES: tuple[Grade, ...] = get_args(Grade)

MAX_NAMED_RUNS = 4
"""Names in a sentence."""


@dataclass(frozen=True)
class BestRunEvidence:
    """The figures that the verdict of a comparison is drawn from.

    Attributes:
        best: The run with the highest Sharpe ratio; None where no run has one.
        reference: The run that the others are compared with.
        labels: Short name of every run, by run id.
        span: First and last common day, such as `2020-01-01 to 2021-12-31`.
        confidence: Level of the intervals.
        sharpe: Interval and test of the best run's Sharpe ratio.
        own_grade: Grade of the best run's own verdict; None where there is none.
        benchmark_sharpe: Sharpe ratio a year of buy-and-hold; None where it is not known.
        selection_bias: The best run with all trials counted; None without a best run.
        against_reference: `run_superiority_tests` of all others over the reference.
        against_benchmark: The same of all runs over buy-and-hold.
    """

    best: str | None
    reference: str
    labels: Mapping[str, str]
    span: str
    confidence: float
    sharpe: SharpeInference
    own_grade: Grade | None
    benchmark_sharpe: float | None
    selection_bias: SelectionBias | None
    against_reference: SuperiorityFigures | None
    against_benchmark: SuperiorityFigures | None

    def has_positive_sharpe(self) -> bool:
        """Whether the interval of the best run's Sharpe ratio lies above 0."""
        return (self.sharpe.low or 0.0) > 0

    def has_sharpe_above_benchmark(self) -> bool:
        """Whether the best run's Sharpe ratio is above that of buy-and-hold, where it is known."""
        ratio, benchmark = self.sharpe.estimate, self.benchmark_sharpe
        return ratio is not None and (benchmark is None or ratio > benchmark)


def grade_best_run(evidence: BestRunEvidence) -> Grade:
    """Grades the evidence that the best run earns more than the best of all trials by chance.

    None where the interval of its Sharpe ratio is not wholly above 0, or where buy-and-hold has as
    high a Sharpe ratio; then what `cap_grade` allows with all trials counted, and never more than
    the grade of the run's own verdict, which has further conditions, nor than moderate.
    """
    if (
        evidence.selection_bias is None
        or not evidence.has_positive_sharpe()
        or not evidence.has_sharpe_above_benchmark()
    ):
        return "none"
    bias = evidence.selection_bias
    most = cap_grade("moderate", bias.p_value, bias.lead_p_value, evidence.confidence)
    return min(most, evidence.own_grade or most, key=GRADES.index)


def verdict_sentences(evidence: BestRunEvidence) -> tuple[str, ...]:
    """The verdict in words: the best run, its selection bias, and the tests over the reference."""
    if evidence.best is None or evidence.selection_bias is None:
        return (
            "No evidence that any of these runs earns anything: none has a Sharpe ratio, as none "
            f"trades enough, from {evidence.span}.",
        )
    best, inference = evidence.labels[evidence.best], evidence.sharpe
    interval = (
        f"{evidence.confidence * 100:g} % interval {inference.low:.2f} to {inference.high:.2f}"
        if inference.low is not None
        else "no interval"
    )
    first = (
        f"{_claim(evidence)}: {best} has the highest annualised Sharpe ratio, "
        f"{inference.estimate:.2f} ({interval}) from {evidence.span}."
    )
    return tuple(
        filter(None, (first, _selection_sentence(evidence), _reference_sentence(evidence)))
    )


def _claim(evidence: BestRunEvidence) -> str:
    best = f"the best of these {len(evidence.labels)} runs"
    grade = grade_best_run(evidence)
    if grade != "none":
        return f"{grade.capitalize()} evidence that {best} earns more than {BEST_BY_CHANCE}"
    if not evidence.has_positive_sharpe():
        return f"No evidence that {best} earns more than chance would give"
    if not evidence.has_sharpe_above_benchmark():
        return f"No evidence that {best} earns more than buy and hold does"
    bias = evidence.selection_bias
    if bias and (bias.p_value or 0.0) <= significance_level(evidence.confidence):
        return f"No evidence that {best} earns more than chance and simple rules would give"
    return f"No evidence that {best} earns more than {BEST_BY_CHANCE}"


def _selection_sentence(evidence: BestRunEvidence) -> str:
    bias = evidence.selection_bias
    if bias is None or bias.p_value is None:
        return ""
    trials = f"{bias.counted:.1f} independent trials"
    known = (
        f", of {bias.known} looks in the trial ledger{_declared_clause(bias)}"
        if bias.known is not None and (bias.known_independent or 0) >= bias.independent
        else ""
    )
    return (
        f"With {trials} counted{known}, the best of them reaches this Sharpe ratio without skill "
        f"with {equate_p_value(bias.p_value)}{_lead_clause(bias)}."
    )


def _declared_clause(bias: SelectionBias) -> str:
    return f" and {bias.declared} declared tries" if bias.declared else ""


def _lead_clause(bias: SelectionBias) -> str:
    if bias.lead_p_value is None:
        return ""
    return f", and its lead over buy and hold with {equate_p_value(bias.lead_p_value)}"


def _reference_sentence(evidence: BestRunEvidence) -> str:
    reference, tested = evidence.labels[evidence.reference], evidence.against_reference
    if tested is None:
        return f"No run can be distinguished from the reference, {reference}."
    p_value = tested.spa.consistent
    if not tested.stepm:
        return (
            f"No run is better than the reference, {reference}, all of them counted "
            f"(SPA, p = {p_value:.3f})."
        )
    names = join_run_labels([evidence.labels[run] for run in tested.stepm])
    verb = "is" if len(tested.stepm) == 1 else "are"
    return f"{names} {verb} better than the reference, {reference}, all of them counted (StepM)."


def join_run_labels(labels: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`; of many the first three, and how many others."""
    return join_names(labels, MAX_NAMED_RUNS)
