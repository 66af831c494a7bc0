"""The page of an audit: verdict, what is not shown, figures, equity and tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.storage import write_file
from engine.reporting import formatting
from engine.reporting.book_styles import ordered_book_styles
from engine.reporting.charts.equity import drawdown_chart, equity_chart
from engine.reporting.charts.time_chart import chart_data, describe_span
from engine.reporting.charts.xy_plot import plot_data
from engine.reporting.header import GRADE_LABELS
from engine.reporting.question_section import QuestionSection, UnansweredQuestion, p_value_equation
from engine.reporting.significance import (
    forecast_sections,
    path_sections,
    sharpe_sections,
    trial_sections,
    unseen_tail_sections,
)
from engine.reporting.tables import PlainTable
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from pathlib import Path

    from engine.reporting.book_styles import BookStyle
    from engine.reporting.question_section import SignificanceSections
    from engine.runs.documents import Significance
    from engine.runs.documents.audit import AuditDocument

AUDIT_FILE = "audit.html"

_FIGURES = (
    ("Total return", "total_return_pct", formatting.SIGNED_PERCENT),
    ("CAGR", "cagr_pct", formatting.SIGNED_PERCENT),
    ("Volatility, a year", "volatility_pct", formatting.PERCENT),
    ("Sharpe ratio", "sharpe", formatting.RATIO),
    ("Sortino ratio", "sortino", formatting.RATIO),
    ("Calmar ratio", "calmar", formatting.RATIO),
    ("Max drawdown", "max_drawdown_pct", formatting.PERCENT),
    ("Bars of the max drawdown", "max_drawdown_bars", formatting.COUNT),
    ("Longest time under water, bars", "longest_drawdown_bars", formatting.COUNT),
)


@dataclass(frozen=True)
class AuditHeader:
    """The head of the page.

    Attributes:
        name: Title.
        source: File and format.
        span: First bar, last bar and number.
        grade: Grade of the verdict.
        grade_label: The grade in words.
        sentence: First sentence of the verdict.
        remarks: Its other sentences.
    """

    name: str
    source: str
    span: str
    grade: str
    grade_label: str
    sentence: str
    remarks: str


def write_audit_page(
    document: AuditDocument, significance: Significance, returns: pd.DataFrame, folder: Path
) -> Path:
    """Writes `audit.html` into `folder`, which exists: one file without network access.

    Args:
        document: What the file holds.
        significance: Its tests and the verdict.
        returns: Index timestamp, a column a book.
        folder: Output folder.

    Returns:
        Path of the page.
    """
    path = folder / AUDIT_FILE
    write_file(path, render_audit(document, significance, returns))
    return path


def render_audit(
    document: AuditDocument, significance: Significance, returns: pd.DataFrame
) -> str:
    """The page as text; the same documents and returns give the same bytes."""
    books = ordered_book_styles(map(str, returns.columns))
    growth = (1.0 + returns).cumprod()
    peaks = growth.cummax().clip(lower=1.0)
    sections = _audit_sections(document, significance)
    return render_template(
        "audit.html.j2",
        page="audit",
        heading=_make_header(document, significance, returns),
        not_shown=document.not_shown,
        notes=[note[:1].upper() + note[1:] for note in document.notes],
        figures=_figures_table(document, books),
        charts=(
            replace(
                equity_chart(growth, books),
                description="Growth of 1 as the file has it, on a log axis: equal distances are "
                "equal percentages.",
            ),
            drawdown_chart(100.0 * (growth / peaks - 1.0), books),
        ),
        books=books,
        sections=[part for part in sections if isinstance(part, QuestionSection)],
        unanswered=[part for part in sections if isinstance(part, UnansweredQuestion)],
        resamples=formatting.COUNT(significance.method.resamples),
        seed=document.seed,
        periods=f"{document.span.periods_per_year:,.1f}".removesuffix(".0"),
        periods_basis=document.periods_basis,
        sha256=document.sha256,
        chart_data=chart_data,
        plot_data=plot_data,
    )


def _make_header(
    document: AuditDocument, significance: Significance, returns: pd.DataFrame
) -> AuditHeader:
    verdict = significance.verdict
    first, full_stop, others = formatting.typeset(verdict.sentence).partition(". ")
    return AuditHeader(
        name=document.name,
        source=", ".join(filter(None, (document.file, f"read as {document.source}"))),
        span=describe_span(pd.DatetimeIndex(returns.index)),
        grade=verdict.grade,
        grade_label=GRADE_LABELS[verdict.grade],
        sentence=first + full_stop.strip(),
        remarks=others,
    )


def _figures_table(document: AuditDocument, books: tuple[BookStyle, ...]) -> PlainTable:
    trips = document.round_trips
    rows = [
        (
            label,
            *(unit(getattr(document.books[book.key], key)) for book in books),
        )
        for label, key, unit in _FIGURES
    ]
    if trips is not None:
        rows.append(("Finished round trips", formatting.COUNT(trips), *("" for _ in books[1:])))
    return PlainTable(("Figure", *(book.label for book in books)), tuple(rows))


def _audit_sections(document: AuditDocument, significance: Significance) -> SignificanceSections:
    """The sections of the significance page that a file of results can fill."""
    return [
        *map(_leave_costs_open, sharpe_sections(significance)),
        *(_reword(part, document, significance) for part in trial_sections(significance)),
        *forecast_sections(significance),
        *_scenario_sections(document),
        *path_sections(significance),
        *unseen_tail_sections(significance),
    ]


def _leave_costs_open(
    section: QuestionSection | UnansweredQuestion,
) -> QuestionSection | UnansweredQuestion:
    """The section without a claim about costs, which a file of results does not show."""
    if not isinstance(section, QuestionSection):
        return section
    return replace(section, description=section.description.replace(" after costs", ""))


def _scenario_sections(document: AuditDocument) -> list[QuestionSection]:
    """The positions at other costs and delays; none without positions."""
    scenarios = document.scenarios
    if not scenarios:
        return []
    costs = list(dict.fromkeys(each.cost_bps for each in scenarios))
    delays = list(dict.fromkeys(each.delay_bars for each in scenarios))
    by_setting = {(each.delay_bars, each.cost_bps): each for each in scenarios}
    rows = tuple(
        (
            f"{delay} bars later" if delay else "as given",
            *(formatting.SIGNED_RATIO(by_setting[delay, cost].sharpe) for cost in costs),
        )
        for delay in delays
    )
    positive = sum(1 for each in scenarios if (each.sharpe or 0.0) > 0)
    return [
        QuestionSection(
            key="scenarios",
            label="Costs and delay",
            question="Does the result last at other costs and later fills?",
            answer=f"The Sharpe ratio is above 0 in {positive} of {len(scenarios)} settings.",
            description="Sharpe ratio of the same positions over the same bars. A cost is paid on "
            "every change of a position; a delay fills it at a later close.",
            source="each cell is computed from the positions and bars again",
            tables=(
                PlainTable(
                    ("Positions", *(formatting.BPS(cost) for cost in costs)),
                    rows,
                ),
            ),
        )
    ]


def _reword(
    part: QuestionSection | UnansweredQuestion,
    document: AuditDocument,
    significance: Significance,
) -> QuestionSection | UnansweredQuestion:
    """The sections about trials, which here are no runs of a ledger."""
    if isinstance(part, UnansweredQuestion):
        reason = part.reason.replace("configurations in the ledger", "variants in a matrix")
        return replace(part, reason=reason.replace(", and a ledger of runs", ""))
    if part.key != "trials":
        return part
    return replace(
        part,
        answer=_tries_answer(document, significance),
        description="The best of many tries has a high Sharpe ratio, and a lead over holding, "
        "even without skill. Variants of a matrix count by the correlation of their returns, "
        "other declared tries as independent ones. Tries that nobody declares count for nothing.",
    )


def _tries_answer(document: AuditDocument, significance: Significance) -> str:
    tries, selection = document.tries, significance.selection
    counted = (
        f"{formatting.count_of(tries.total, 'try', 'tries')}, of which "
        f"{formatting.COUNT(tries.variants)} others are known by their returns"
        if tries.known
        else "The number of tries is not known, and one is assumed"
    )
    if selection is None or selection.sharpe is None:
        return f"{counted}. No test: there are too few returns, or they do not vary."
    lead = (
        f"the lead over holding with {p_value_equation(selection.lead.p_value)}"
        if selection.lead
        else "there is no lead over holding to test"
    )
    sharpe = p_value_equation(selection.sharpe.p_value)
    return f"{counted}. Without skill this Sharpe ratio is reached with {sharpe}; {lead}."
