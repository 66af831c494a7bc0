"""What a comparison comes to: a grade, and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.evaluation.comparison.compare import Comparison
    from engine.evaluation.verdict import Grade


MOST_NAMED = 4
"""Names in a sentence."""


def grade(found: Comparison) -> Grade:
    """How much evidence there is that the best run earns more than the luckiest of all would.

    With c the confidence: none where the interval of its Sharpe ratio is not wholly above 0, or
    its deflated Sharpe ratio is below 1 - 2 (1 - c); moderate where that is at least c and StepM
    names it among the runs better than buy-and-hold, all of them counted; weak between. Strong
    never: the further tests that this asks for are made run by run.
    """
    level = found.confidence
    if found.best is None or (found.sharpe[found.best].low or 0.0) <= 0:
        return "none"
    deflated = found.family.deflated_sharpe if found.family else None
    if deflated is None or deflated < 1 - 2 * (1 - level):
        return "none"
    beaten = found.against_benchmark and found.best in found.against_benchmark["stepm"]
    return "moderate" if beaten and deflated >= level else "weak"


def sentences(found: Comparison) -> tuple[str, ...]:
    """The answer in words: the best, what its choice is worth, and who beats the reference."""
    if found.best is None or found.family is None:
        return (
            "No evidence that any of these runs earns anything: none has a Sharpe ratio, as none "
            f"trades enough, from {_span(found)}.",
        )
    best, inference = found.labels[found.best], found.sharpe[found.best]
    interval = (
        f"{found.confidence * 100:g} % interval {inference.low:.2f} to {inference.high:.2f}"
        if inference.low is not None
        else "no interval"
    )
    first = (
        f"{_claim(found)}: {best} has the highest Sharpe ratio, {inference.estimate:.2f} a year "
        f"({interval}) from {_span(found)}."
    )
    return tuple(filter(None, (first, _counted(found), _against_reference(found))))


def _claim(found: Comparison) -> str:
    of = f"the best of these {len(found.labels)} runs"
    if grade(found) != "none":
        return f"{grade(found).capitalize()} evidence that {of} earns more than the luckiest would"
    best = found.best
    if best is None or (found.sharpe[best].low or 0.0) <= 0:
        return f"No evidence that {of} earns more than luck would"
    return f"No evidence that {of} earns more than the luckiest of so many would"


def _counted(found: Comparison) -> str:
    family = found.family
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


def _against_reference(found: Comparison) -> str:
    reference, tested = found.labels[found.reference], found.against_reference
    if tested is None:
        return f"None can be told from the reference, {reference}."
    p_value = tested["spa"]["consistent"]
    if not tested["stepm"]:
        return (
            f"No run is better than the reference, {reference}, all of them counted "
            f"(SPA, p = {p_value:.3f})."
        )
    names = listed([found.labels[run] for run in tested["stepm"]])
    verb = "is" if len(tested["stepm"]) == 1 else "are"
    return f"{names} {verb} better than the reference, {reference}, all of them counted (StepM)."


def _span(found: Comparison) -> str:
    index = found.returns.index
    return f"{index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}"


def listed(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`; of many the first three, and how many others."""
    if len(names) > MOST_NAMED:
        names = [*names[: MOST_NAMED - 1], f"{len(names) - MOST_NAMED + 1} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
