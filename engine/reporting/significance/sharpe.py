"""How good each book was, and how much better than its opponents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY, BookStyle, book_style, ordered_book_styles
from engine.reporting.charts.forest import make_forest_plot
from engine.reporting.significance.section import (
    PlainTable,
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
    count_p_values,
    holm_note,
    join_names,
    p_value_equation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

BookEstimates = list[tuple[BookStyle, dict[str, Any]]]

BLOCK_LENGTH_FORMAT = formatting.NumberFormat(1, formatting.BARS.suffix)
HAC_SOURCE = "HAC interval: Lo 2002 with the kernel estimate of Ledoit & Wolf 2008"
TWO_INTERVALS_NOTE = (
    "Two ways to the interval: blocks of bars drawn again, and a standard error that allows for "
    "bars that hang together. Where they disagree, believe the wider."
)
SUPERIORITY_SOURCE = "Hansen 2005 (SPA); Romano & Wolf 2005 (StepM)"


def sharpe_sections(significance: Mapping[str, Any]) -> SignificanceSections:
    """Sharpe ratios, differences to opponents, and all books at once against the benchmark."""
    confidence = significance["method"]["confidence"]
    source = significance["method"].get("source") or formatting.MISSING
    told: SignificanceSections = [
        _sharpe_section(_order_estimates(significance.get("sharpe", {})), confidence, source)
    ]
    differences = _order_estimates(significance.get("differences", {}))
    if differences:
        told.append(_differences_section(differences, confidence, source))
    if "superiority" in significance:
        told.append(_superiority_section(significance["superiority"], confidence))
    return told


def _order_estimates(figures: Mapping[str, dict[str, Any]]) -> BookEstimates:
    return [(each, figures[each.key]) for each in ordered_book_styles(figures)]


def _sharpe_section(estimates: BookEstimates, confidence: float, source: str) -> QuestionSection:
    level = formatting.confidence_level(confidence)
    mine = next((figures for each, figures in estimates if each.key == STRATEGY), {})
    both = any("hac_low" in figures for _, figures in estimates)
    heads = ("bootstrap", "HAC") if both else ("",)
    adjusted = any("p_value_holm" in figures for _, figures in estimates)
    notes = [TWO_INTERVALS_NOTE] if both else []
    if adjusted:
        tested = count_p_values({each.key: figures for each, figures in estimates})
        notes.append(holm_note(tested, "book"))
    return QuestionSection(
        key="sharpe",
        label="Sharpe ratio",
        question="Did the strategy make money for the risk it took?",
        answer=_sharpe_answer(mine, level),
        description=f"Annualised Sharpe ratio of each book after costs, with its {level} interval"
        + (" from the bootstrap." if both else "."),
        source=f"{source}. {HAC_SOURCE}" if both else source,
        forest=make_forest_plot(estimates),
        tables=(
            PlainTable(
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
                        _interval_text(figures, ""),
                        *((_interval_text(figures, "hac_"),) if both else ()),
                        formatting.p_value(figures.get("p_value")),
                        *((formatting.p_value(figures.get("p_value_holm")),) if adjusted else ()),
                        BLOCK_LENGTH_FORMAT(figures.get("block_length_bars")),
                    )
                    for each, figures in estimates
                ),
                note=" ".join(notes),
            ),
        ),
    )


def _interval_text(figures: Mapping[str, Any], key_prefix: str) -> str:
    return formatting.SIGNED_RATIO.interval(
        figures.get(f"{key_prefix}low"), figures.get(f"{key_prefix}high")
    )


def _sharpe_answer(strategy: Mapping[str, Any], level: str) -> str:
    low, high = strategy.get("low"), strategy.get("high")
    if not (formatting.is_finite(low) and formatting.is_finite(high)):
        return "There is no interval: the strategy's returns did not vary, or it never traded."
    told = (
        f"Its Sharpe ratio is {formatting.RATIO(strategy.get('estimate'))}, "
        f"{level} interval {formatting.RATIO.interval(low, high)}"
    )
    if low is not None and low > 0:
        return f"{told}: all of it above zero."
    if high is not None and high < 0:
        return f"{told}: all of it below zero, it lost money for the risk it took."
    return f"{told}: zero lies inside, so luck alone could have made this result."


def _differences_section(
    estimates: BookEstimates, confidence: float, source: str
) -> QuestionSection:
    level = formatting.confidence_level(confidence)
    return QuestionSection(
        key="differences",
        label="Opponents",
        question="Did it beat each opponent on the same bars?",
        answer=_difference_answer(estimates, confidence),
        description=(
            f"Sharpe ratio of the strategy less that of each opponent, with its {level} interval; "
            "right of zero the strategy was better. Both books are resampled together, so what "
            "moved them both cancels."
        ),
        source=source,
        forest=make_forest_plot(estimates),
        tables=(
            PlainTable(
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
                        _interval_text(figures, ""),
                        formatting.p_value(figures.get("p_value")),
                        formatting.p_value(figures.get("p_value_holm")),
                        BLOCK_LENGTH_FORMAT(figures.get("block_length_bars")),
                    )
                    for each, figures in estimates
                ),
                note=holm_note(
                    count_p_values({each.key: figures for each, figures in estimates}),
                    "comparison",
                ),
            ),
        ),
    )


def _difference_answer(estimates: BookEstimates, confidence: float) -> str:
    def named(sign: int) -> list[str]:
        return [
            book.label
            for book, figures in estimates
            if _is_significant(figures, confidence) and sign * figures["estimate"] > 0
        ]

    beaten, lost_to = named(1), named(-1)
    total = formatting.COUNT(len(estimates))
    told = (
        f"Better than {join_names(beaten)}: {len(beaten)} of {total} opponents, after Holm's "
        "correction for asking several times."
        if beaten
        else f"Better than none of {total} opponents once Holm's correction is made for asking "
        "several times."
    )
    return told + (f" Worse than {join_names(lost_to)}." if lost_to else "")


def _is_significant(figures: Mapping[str, Any], confidence: float) -> bool:
    p_value = figures.get("p_value_holm")
    return p_value is not None and formatting.is_finite(p_value) and p_value < 1.0 - confidence


def _superiority_section(
    superiority: Mapping[str, Any] | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "Is any book better than the benchmark, all of them counted?"
    if not superiority:
        return UnansweredQuestion(question, "it takes two books whose returns vary")
    benchmark, spa = book_style(superiority["benchmark"]).label, superiority["spa"]
    better = [each.label for each in ordered_book_styles(superiority.get("stepm") or ())]
    return QuestionSection(
        key="superiority",
        label="All books at once",
        question=question.replace("the benchmark", benchmark.lower()),
        answer=_superiority_answer(benchmark.lower(), spa.get("consistent"), better, confidence),
        description=(
            f"Whoever looks at several books and shows the best has picked a winner. SPA asks "
            f"whether the best lead over {benchmark.lower()} is more than the best of that many "
            "would have by luck; StepM names the books that are better, one after the other. "
            f"Blocks of {BLOCK_LENGTH_FORMAT(superiority.get('block_length_bars'))} drawn "
            f"together from all books."
        ),
        source=SUPERIORITY_SOURCE,
        tables=(
            PlainTable(
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
            *((_stepm_table(superiority["p_values"]),) if superiority.get("p_values") else ()),
        ),
    )


def _stepm_table(p_values: Mapping[str, float | None]) -> PlainTable:
    return PlainTable(
        columns=("StepM", "p, stepwise"),
        rows=tuple(
            (each.label, formatting.p_value(p_values[each.key]))
            for each in ordered_book_styles(p_values)
        ),
        note="Adjusted already: the steps keep the chance of even one false name below the level.",
    )


def _superiority_answer(
    benchmark: str, p_value: float | None, better: list[str], confidence: float
) -> str:
    if p_value is None:
        return "There is no answer: the books' returns do not vary."
    p = p_value_equation(p_value)
    if p_value < 1.0 - confidence:
        names = f" StepM names {join_names(better)}." if better else " StepM names no single one."
        return f"Yes: the best lead over {benchmark} is more than luck's (SPA, {p}).{names}"
    return (
        f"No: luck alone would put the best of so many books at least as far ahead of {benchmark} "
        f"(SPA, {p})."
    )
