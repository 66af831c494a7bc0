"""The verdict of a comparison: a grade of the evidence for the best run, and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from engine.core.name_lists import join_names
from engine.evaluation.verdict import BEST_BY_CHANCE, Grade, cap_grade

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
        selection_bias: The best run deflated by all trials; None without a best run.
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

    def is_superior_to_benchmark(self) -> bool:
        """Whether StepM names the best run among the runs better than buy-and-hold."""
        tested = self.against_benchmark
        return tested is not None and self.best in tested.stepm


def grade_best_run(evidence: BestRunEvidence) -> Grade:
    """Grades the evidence that the best run earns more than the best of all trials by chance.

    With c the confidence: none where the interval of its Sharpe ratio is not wholly above 0, where
    buy-and-hold has as high a Sharpe ratio, or where its deflated Sharpe ratio is below
    1 - 2 (1 - c); moderate where that is at least c and StepM names it among the runs better than
    buy-and-hold, all of them counted; weak between. Never more than the grade of the run's own
    verdict, which also compares it with its other benchmarks, and so never strong.
    """
    if (
        evidence.selection_bias is None
        or not evidence.has_positive_sharpe()
        or not evidence.has_sharpe_above_benchmark()
    ):
        return "none"
    most = cap_grade("moderate", evidence.selection_bias.deflated_sharpe, evidence.confidence)
    if most == "moderate" and not evidence.is_superior_to_benchmark():
        most = "weak"
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
    if bias and cap_grade("weak", bias.deflated_sharpe, evidence.confidence) != "none":
        return f"No evidence that {best} earns more than chance and simple rules would give"
    return f"No evidence that {best} earns more than {BEST_BY_CHANCE}"


def _selection_sentence(evidence: BestRunEvidence) -> str:
    bias = evidence.selection_bias
    if bias is None or bias.deflated_sharpe is None:
        return ""
    trials = "1 independent trial" if bias.counted == 1 else f"{bias.counted} independent trials"
    known = (
        f", of {bias.known} strategies in the trial ledger"
        if bias.known is not None and (bias.known_independent or 0) >= bias.independent
        else ""
    )
    return (
        f"With {trials} counted{known}, its deflated Sharpe ratio is {bias.deflated_sharpe:.2f}: "
        f"the probability that it is better than {BEST_BY_CHANCE}."
    )


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
