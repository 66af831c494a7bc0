"""What a comparison comes to: a grade, and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from engine.evaluation.verdict import Grade, cap_grade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.comparison.compare import RunComparison


GRADES: tuple[Grade, ...] = get_args(Grade)

MAX_NAMED_RUNS = 4
"""Names in a sentence."""


def grade_best_run(comparison: RunComparison) -> Grade:
    """How much evidence there is that the best run earns more than the luckiest of all would.

    With c the confidence: none where the interval of its Sharpe ratio is not wholly above 0, where
    buy-and-hold has as high a Sharpe ratio, or where its deflated Sharpe ratio is below
    1 - 2 (1 - c); moderate where that is at least c and StepM names it among the runs better than
    buy-and-hold, all of them counted; weak between. Never more than the verdict on the run itself,
    which knows its other opponents, and so never strong.
    """
    best = comparison.best
    if (
        best is None
        or comparison.selection_bias is None
        or not _has_positive_sharpe(comparison, best)
        or not _has_sharpe_above_benchmark(comparison, best)
    ):
        return "none"
    most = cap_grade("moderate", comparison.selection_bias.deflated_sharpe, comparison.confidence)
    if most == "moderate" and not _is_superior_to_benchmark(comparison, best):
        most = "weak"
    own = next(each.grade for each in comparison.runs if each.run_id == best)
    return min(most, own or most, key=GRADES.index)


def _has_positive_sharpe(comparison: RunComparison, run: str) -> bool:
    return (comparison.sharpe[run].low or 0.0) > 0


def _has_sharpe_above_benchmark(comparison: RunComparison, run: str) -> bool:
    ratio, holding = comparison.sharpe[run].estimate, comparison.benchmark_sharpe
    return ratio is not None and (holding is None or ratio > holding)


def _is_superior_to_benchmark(comparison: RunComparison, run: str) -> bool:
    tested = comparison.against_benchmark
    return tested is not None and run in tested["stepm"]


def verdict_sentences(comparison: RunComparison) -> tuple[str, ...]:
    """The answer in words: the best, what its choice is worth, and who beats the reference."""
    if comparison.best is None or comparison.selection_bias is None:
        return (
            "No evidence that any of these runs earns anything: none has a Sharpe ratio, as none "
            f"trades enough, from {_format_span(comparison)}.",
        )
    best, inference = comparison.labels[comparison.best], comparison.sharpe[comparison.best]
    interval = (
        f"{comparison.confidence * 100:g} % interval {inference.low:.2f} to {inference.high:.2f}"
        if inference.low is not None
        else "no interval"
    )
    first = (
        f"{_claim(comparison)}: {best} has the highest Sharpe ratio, {inference.estimate:.2f} a "
        f"year "
        f"({interval}) from {_format_span(comparison)}."
    )
    return tuple(
        filter(None, (first, _trials_sentence(comparison), _reference_sentence(comparison)))
    )


def _claim(comparison: RunComparison) -> str:
    of, best = f"the best of these {len(comparison.labels)} runs", comparison.best
    if grade_best_run(comparison) != "none":
        return (
            f"{grade_best_run(comparison).capitalize()} evidence that {of} earns more than "
            f"the luckiest would"
        )
    if best is None or not _has_positive_sharpe(comparison, best):
        return f"No evidence that {of} earns more than luck would"
    if not _has_sharpe_above_benchmark(comparison, best):
        return f"No evidence that {of} earns more than buy and hold does"
    family = comparison.selection_bias
    if family and cap_grade("weak", family.deflated_sharpe, comparison.confidence) != "none":
        return f"No evidence that {of} earns more than luck and simple rules would"
    return f"No evidence that {of} earns more than the luckiest of so many would"


def _trials_sentence(comparison: RunComparison) -> str:
    family = comparison.selection_bias
    if family is None or family.deflated_sharpe is None:
        return ""
    trials = (
        "1 independent trial" if family.counted == 1 else f"{family.counted} independent trials"
    )
    known = (
        f", of {family.known} strategies that the ledger knew"
        if family.known is not None and (family.known_independent or 0) >= family.independent
        else ""
    )
    return (
        f"With {trials} counted{known}, its deflated Sharpe ratio is "
        f"{family.deflated_sharpe:.2f}: the probability that it is better than the luckiest of "
        "them."
    )


def _reference_sentence(comparison: RunComparison) -> str:
    reference, tested = comparison.labels[comparison.reference], comparison.against_reference
    if tested is None:
        return f"None can be told from the reference, {reference}."
    p_value = tested["spa"]["consistent"]
    if not tested["stepm"]:
        return (
            f"No run is better than the reference, {reference}, all of them counted "
            f"(SPA, p = {p_value:.3f})."
        )
    names = join_names([comparison.labels[run] for run in tested["stepm"]])
    verb = "is" if len(tested["stepm"]) == 1 else "are"
    return f"{names} {verb} better than the reference, {reference}, all of them counted (StepM)."


def _format_span(comparison: RunComparison) -> str:
    index = comparison.returns.index
    return f"{index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}"


def join_names(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`; of many the first three, and how many others."""
    if len(names) > MAX_NAMED_RUNS:
        names = [*names[: MAX_NAMED_RUNS - 1], f"{len(names) - MAX_NAMED_RUNS + 1} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
