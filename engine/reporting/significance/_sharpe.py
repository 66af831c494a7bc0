"""Sharpe ratio of each book, and its difference to the benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.name_lists import join_names
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY, BookStyle, book_style, ordered_book_styles
from engine.reporting.charts.forest import make_forest_plot
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
    count_p_values,
    holm_note,
    p_value_equation,
    split_by_sign,
)
from engine.reporting.tables import PlainTable
from engine.runs.documents.significance import SharpeFigures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runs.documents import Significance
    from engine.runs.documents.significance import SuperiorityFigures

BookEstimates = list[tuple[BookStyle, SharpeFigures]]

BLOCK_LENGTH_FORMAT = formatting.NumberFormat(1, formatting.BARS.suffix)
HAC_SOURCE = "HAC interval: Lo 2002 with the kernel estimate of Ledoit & Wolf 2008"
TWO_INTERVALS_NOTE = (
    "Two intervals: from the block bootstrap, and from a standard error that allows for "
    "autocorrelation and heteroskedasticity (HAC). Where they disagree, use the wider one."
)
SUPERIORITY_SOURCE = "Hansen 2005 (SPA); Romano & Wolf 2005 (StepM)"


def sharpe_sections(significance: Significance) -> SignificanceSections:
    """Sharpe ratios, differences to the benchmarks, and the joint tests over all books."""
    confidence = significance.method.confidence
    source = significance.method.source or formatting.MISSING
    sections: SignificanceSections = [_sharpe_section(significance, confidence, source)]
    differences = _order_estimates(significance.differences)
    if differences:
        sections.append(_differences_section(differences, confidence, source))
    if "superiority" in significance:
        sections.append(_superiority_section(significance.superiority, confidence))
    return sections


def _order_estimates(figures: Mapping[str, SharpeFigures]) -> BookEstimates:
    return [(each, figures[each.key]) for each in ordered_book_styles(figures)]


def _sharpe_section(significance: Significance, confidence: float, source: str) -> QuestionSection:
    estimates = _order_estimates(significance.sharpe)
    level = formatting.confidence_level(confidence)
    strategy = next(
        (figures for each, figures in estimates if each.key == STRATEGY), SharpeFigures()
    )
    has_hac = any("hac_low" in figures for _, figures in estimates)
    adjusted = any("p_value_holm" in figures for _, figures in estimates)
    notes = [TWO_INTERVALS_NOTE] if has_hac else []
    if adjusted:
        tested = count_p_values(figures for _, figures in estimates)
        notes.append(holm_note(tested, "book"))
    return QuestionSection(
        key="sharpe",
        label="Sharpe ratio",
        question="Was the risk-adjusted return positive?",
        answer=_sharpe_answer(strategy, level),
        description="Annualised Sharpe ratio of each book after costs "
        f"({significance.risk_free_rate.as_risk_free}), with its {level} interval"
        + (" from the bootstrap." if has_hac else "."),
        source=f"{source}. {HAC_SOURCE}" if has_hac else source,
        forest=make_forest_plot(estimates),
        tables=(
            _estimates_table(
                ("Book", "Sharpe ratio", "p, one-sided"),
                estimates,
                level,
                note=" ".join(notes),
                has_hac=has_hac,
                adjusted=adjusted,
            ),
        ),
    )


def _estimates_table(
    headings: tuple[str, str, str],
    estimates: BookEstimates,
    level: str,
    *,
    note: str,
    has_hac: bool = False,
    adjusted: bool = True,
) -> PlainTable:
    """Estimate, intervals, p-values and block length of each book.

    Args:
        headings: Headings of the books, of the estimates and of the p-values.
        estimates: The books, in the order of the rows.
        level: Level of the intervals, as text.
        note: Text below the table.
        has_hac: Whether there is a second interval, by HAC errors.
        adjusted: Whether there are p-values after Holm.
    """
    row_heading, estimate_heading, p_heading = headings
    interval_kinds = (", bootstrap", ", HAC") if has_hac else ("",)
    return PlainTable(
        columns=(
            row_heading,
            estimate_heading,
            *(f"{level} interval{kind}" for kind in interval_kinds),
            p_heading,
            *(("p after Holm",) if adjusted else ()),
            "Block length",
        ),
        rows=tuple(
            (
                each.label,
                formatting.SIGNED_RATIO(figures.estimate),
                formatting.SIGNED_RATIO.interval(figures.low, figures.high),
                *((_hac_interval_text(figures),) if has_hac else ()),
                formatting.p_value(figures.p_value),
                *((formatting.p_value(figures.p_value_holm),) if adjusted else ()),
                BLOCK_LENGTH_FORMAT(figures.block_length_bars),
            )
            for each, figures in estimates
        ),
        note=note,
    )


def _hac_interval_text(figures: SharpeFigures) -> str:
    return formatting.SIGNED_RATIO.interval(figures.hac_low, figures.hac_high)


def _sharpe_answer(strategy: SharpeFigures, level: str) -> str:
    low, high = strategy.low, strategy.high
    if not (formatting.is_finite(low) and formatting.is_finite(high)):
        return "No interval: the returns of the strategy do not vary, or it never traded."
    estimate = (
        f"Its Sharpe ratio is {formatting.RATIO(strategy.get('estimate'))}, "
        f"{level} interval {formatting.RATIO.interval(low, high)}"
    )
    if low is not None and low > 0:
        return f"{estimate}: entirely above zero."
    if high is not None and high < 0:
        return f"{estimate}: entirely below zero."
    return f"{estimate}. It contains zero, so the result may be due to chance."


def _differences_section(
    estimates: BookEstimates, confidence: float, source: str
) -> QuestionSection:
    level = formatting.confidence_level(confidence)
    return QuestionSection(
        key="differences",
        label="Benchmarks",
        question="Did it outperform each benchmark on the same bars?",
        answer=_difference_answer(estimates, confidence),
        description=(
            f"Sharpe ratio of the strategy minus that of each benchmark, with its {level} "
            "interval; above zero the strategy was better. Both books are resampled in pairs, so "
            "that common movements cancel."
        ),
        source=source,
        forest=make_forest_plot(estimates),
        tables=(
            _estimates_table(
                ("Benchmark", "Difference", "p, two-sided"),
                estimates,
                level,
                note=holm_note(count_p_values(figures for _, figures in estimates), "comparison"),
            ),
        ),
    )


def _difference_answer(estimates: BookEstimates, confidence: float) -> str:
    outperformed, underperformed = split_by_sign(
        ((book.label, figures.estimate, figures.p_value_holm) for book, figures in estimates),
        confidence,
    )
    total = formatting.count_of(len(estimates), "benchmark")
    correction = "after Holm's correction for multiple testing"
    answer = (
        f"Better than {join_names(outperformed)}: {len(outperformed)} of {total}, {correction}."
        if outperformed
        else f"Better than none of {total}, {correction}."
    )
    return answer + (f" Worse than {join_names(underperformed)}." if underperformed else "")


def _superiority_section(
    superiority: SuperiorityFigures | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "Is any book better than the benchmark, allowing for the choice among them?"
    if not superiority:
        return UnansweredQuestion(question, "it needs two books whose returns vary")
    benchmark, spa = book_style(superiority.benchmark).label, superiority.spa
    better = [each.label for each in ordered_book_styles(superiority.stepm)]
    return QuestionSection(
        key="superiority",
        label="SPA test",
        question=question.replace("the benchmark", benchmark.lower()),
        answer=_superiority_answer(benchmark.lower(), spa.consistent, better, confidence),
        description=(
            f"The best of several books is selected by its result. The test for superior "
            f"predictive ability (SPA) compares the largest lead over {benchmark.lower()} with "
            "the largest lead of as many books without skill; StepM names the books that are "
            "better, step by step. Blocks of "
            f"{BLOCK_LENGTH_FORMAT(superiority.block_length_bars)} are drawn jointly from "
            "all books."
        ),
        source=SUPERIORITY_SOURCE,
        tables=(
            PlainTable(
                columns=("SPA", "p"),
                rows=tuple(
                    (name, formatting.p_value(p_value))
                    for name, p_value in (
                        ("Consistent: poor books count less", spa.consistent),
                        ("Lower bound: poor books do not count", spa.lower),
                        ("Upper bound: every book counts in full", spa.upper),
                    )
                ),
                note="No adjustment is needed: the test covers all books jointly.",
            ),
            *((_stepm_table(superiority.p_values),) if superiority.p_values else ()),
        ),
    )


def _stepm_table(p_values: Mapping[str, float | None]) -> PlainTable:
    return PlainTable(
        columns=("StepM", "p, stepwise"),
        rows=tuple(
            (each.label, formatting.p_value(p_values[each.key]))
            for each in ordered_book_styles(p_values)
        ),
        note="Already adjusted: the probability of one or more false positives stays below the "
        "level.",
    )


def _superiority_answer(
    benchmark: str, p_value: float | None, better: list[str], confidence: float
) -> str:
    if p_value is None:
        return "No answer: the returns of the books do not vary."
    p = p_value_equation(p_value)
    if p_value < 1.0 - confidence:
        names = f" StepM names {join_names(better)}." if better else " StepM names no single book."
        return f"Yes: the largest lead over {benchmark} is more than chance (SPA, {p}).{names}"
    return (
        f"No: by chance the best of so many books would lead {benchmark} by at least as much "
        f"(SPA, {p})."
    )
