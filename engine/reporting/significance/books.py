"""How good each book was, and how much better than its opponents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.books import STRATEGY, Book, book, in_order
from engine.reporting.charts.forest import forest
from engine.reporting.significance.section import (
    Section,
    Table,
    Told,
    Unasked,
    equals,
    found_by_test,
    holm_note,
    listed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Estimates = list[tuple[Book, dict[str, Any]]]

BLOCKS = formatting.Unit(1, formatting.BARS.suffix)
HAC = "HAC interval: Lo 2002 with the kernel estimate of Ledoit & Wolf 2008"
WIDER = (
    "Two ways to the interval: blocks of bars drawn again, and a standard error that allows for "
    "bars that hang together. Where they disagree, believe the wider."
)
SUPERIORITY = "Hansen 2005 (SPA); Romano & Wolf 2005 (StepM)"


def told_of_books(found: Mapping[str, Any]) -> Told:
    """Sharpe ratios, differences to opponents, and all books at once against the benchmark."""
    confidence = found["method"]["confidence"]
    source = found["method"].get("source") or formatting.MISSING
    told: Told = [_sharpe(_estimates(found.get("sharpe", {})), confidence, source)]
    differences = _estimates(found.get("differences", {}))
    if differences:
        told.append(_differences(differences, confidence, source))
    if "superiority" in found:
        told.append(_superiority(found["superiority"], confidence))
    return told


def _estimates(figures: Mapping[str, dict[str, Any]]) -> Estimates:
    return [(each, figures[each.key]) for each in in_order(figures)]


def _sharpe(estimates: Estimates, confidence: float, source: str) -> Section:
    level = formatting.level(confidence)
    mine = next((figures for each, figures in estimates if each.key == STRATEGY), {})
    both = any("hac_low" in figures for _, figures in estimates)
    heads = ("bootstrap", "HAC") if both else ("",)
    adjusted = any("p_value_holm" in figures for _, figures in estimates)
    notes = [WIDER] if both else []
    if adjusted:
        tested = found_by_test({each.key: figures for each, figures in estimates})
        notes.append(holm_note(tested, "book"))
    return Section(
        key="sharpe",
        label="Sharpe ratio",
        question="Did the strategy make money for the risk it took?",
        answer=_sharpe_answer(mine, level),
        says=f"Annualised Sharpe ratio of each book after costs, with its {level} interval"
        + (" from the bootstrap." if both else "."),
        source=f"{source}. {HAC}" if both else source,
        forest=forest(estimates),
        tables=(
            Table(
                columns=(
                    "Book",
                    "Sharpe ratio",
                    *(f"{level} interval{head and ', ' + head}" for head in heads),
                    "p, one-sided",
                    *(("p after Holm",) if adjusted else ()),
                    "Block length",
                ),
                rows=tuple(
                    (
                        each.label,
                        formatting.SIGNED_RATIO(figures.get("estimate")),
                        _interval(figures, ""),
                        *((_interval(figures, "hac_"),) if both else ()),
                        formatting.p_value(figures.get("p_value")),
                        *((formatting.p_value(figures.get("p_value_holm")),) if adjusted else ()),
                        BLOCKS(figures.get("block_length_bars")),
                    )
                    for each, figures in estimates
                ),
                note=" ".join(notes),
            ),
        ),
    )


def _interval(figures: Mapping[str, Any], kind: str) -> str:
    return formatting.SIGNED_RATIO.interval(figures.get(f"{kind}low"), figures.get(f"{kind}high"))


def _sharpe_answer(mine: Mapping[str, Any], level: str) -> str:
    low, high = mine.get("low"), mine.get("high")
    if not (formatting.exists(low) and formatting.exists(high)):
        return "There is no interval: the strategy's returns did not vary, or it never traded."
    told = (
        f"Its Sharpe ratio is {formatting.RATIO(mine.get('estimate'))}, "
        f"{level} interval {formatting.RATIO.interval(low, high)}"
    )
    if low is not None and low > 0:
        return f"{told}: all of it above zero."
    if high is not None and high < 0:
        return f"{told}: all of it below zero, it lost money for the risk it took."
    return f"{told}: zero lies inside, so luck alone could have made this result."


def _differences(estimates: Estimates, confidence: float, source: str) -> Section:
    level = formatting.level(confidence)
    return Section(
        key="differences",
        label="Opponents",
        question="Did it beat each opponent on the same bars?",
        answer=_difference_answer(estimates, confidence),
        says=(
            f"Sharpe ratio of the strategy less that of each opponent, with its {level} interval; "
            "right of zero the strategy was better. Both books are resampled together, so what "
            "moved them both cancels."
        ),
        source=source,
        forest=forest(estimates),
        tables=(
            Table(
                columns=(
                    "Opponent",
                    "Difference",
                    f"{level} interval",
                    "p, two-sided",
                    "p after Holm",
                    "Block length",
                ),
                rows=tuple(
                    (
                        each.label,
                        formatting.SIGNED_RATIO(figures.get("estimate")),
                        _interval(figures, ""),
                        formatting.p_value(figures.get("p_value")),
                        formatting.p_value(figures.get("p_value_holm")),
                        BLOCKS(figures.get("block_length_bars")),
                    )
                    for each, figures in estimates
                ),
                note=holm_note(
                    found_by_test({each.key: figures for each, figures in estimates}),
                    "comparison",
                ),
            ),
        ),
    )


def _difference_answer(estimates: Estimates, confidence: float) -> str:
    def named(sign: int) -> list[str]:
        return [
            book.label
            for book, figures in estimates
            if _significant(figures, confidence) and sign * figures["estimate"] > 0
        ]

    beaten, lost_to = named(1), named(-1)
    total = formatting.COUNT(len(estimates))
    told = (
        f"Better than {listed(beaten)}: {len(beaten)} of {total} opponents, after Holm's "
        "correction for asking several times."
        if beaten
        else f"Better than none of {total} opponents once Holm's correction is made for asking "
        "several times."
    )
    return told + (f" Worse than {listed(lost_to)}." if lost_to else "")


def _significant(figures: Mapping[str, Any], confidence: float) -> bool:
    p_value = figures.get("p_value_holm")
    return p_value is not None and formatting.exists(p_value) and p_value < 1.0 - confidence


def _superiority(found: Mapping[str, Any] | None, confidence: float) -> Section | Unasked:
    question = "Is any book better than the benchmark, all of them counted?"
    if not found:
        return Unasked(question, "it takes two books whose returns vary")
    benchmark, spa = book(found["benchmark"]).label, found["spa"]
    better = [each.label for each in in_order(found.get("stepm") or ())]
    return Section(
        key="superiority",
        label="All books at once",
        question=question.replace("the benchmark", benchmark.lower()),
        answer=_superiority_answer(benchmark.lower(), spa.get("consistent"), better, confidence),
        says=(
            f"Whoever looks at several books and shows the best has picked a winner. SPA asks "
            f"whether the best lead over {benchmark.lower()} is more than the best of that many "
            "would have by luck; StepM names the books that are better, one after the other. "
            f"Blocks of {BLOCKS(found.get('block_length_bars'))} drawn together from all books."
        ),
        source=SUPERIORITY,
        tables=(
            Table(
                columns=("SPA", "p"),
                rows=tuple(
                    (name, formatting.p_value(spa.get(key)))
                    for name, key in (
                        ("Consistent: poor books count less", "consistent"),
                        ("Lower bound: poor books do not count", "lower"),
                        ("Upper bound: every book counts in full", "upper"),
                    )
                ),
                note="No adjustment is needed: the test itself counts all books.",
            ),
            *((_stepwise(found["p_values"]),) if found.get("p_values") else ()),
        ),
    )


def _stepwise(p_values: Mapping[str, float | None]) -> Table:
    return Table(
        columns=("StepM", "p, stepwise"),
        rows=tuple(
            (each.label, formatting.p_value(p_values[each.key])) for each in in_order(p_values)
        ),
        note="Adjusted already: the steps keep the chance of even one false name below the level.",
    )


def _superiority_answer(
    benchmark: str, p_value: float | None, better: list[str], confidence: float
) -> str:
    if p_value is None:
        return "There is no answer: the books' returns do not vary."
    p = equals(p_value)
    if p_value < 1.0 - confidence:
        names = f" StepM names {listed(better)}." if better else " StepM names no single one."
        return f"Yes: the best lead over {benchmark} is more than luck's (SPA, {p}).{names}"
    return (
        f"No: luck alone would put the best of so many books at least as far ahead of {benchmark} "
        f"(SPA, {p})."
    )
