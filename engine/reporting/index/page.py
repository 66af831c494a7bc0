"""The index as a page: a row a run, to sort, search and tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.reporting import formatting
from engine.reporting.book_styles import book_style
from engine.reporting.header import GRADE_LABELS
from engine.reporting.templating import render_template
from engine.runs.folder import PAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.index.run_entries import ComparisonEntry, RunEntry, RunSummary


@dataclass(frozen=True)
class IndexCell:
    """A figure as text, and as the number that it sorts by; empty where there is none."""

    text: str
    sort_value: str
    subtext: str = ""


@dataclass(frozen=True)
class IndexRow:
    """A run; all is text.

    Attributes:
        checkbox_value: `<strategy>/<run id>`, quoted: the value of its tick.
        run_id: Its id.
        name: Of the strategy.
        symbols: What was traded.
        dataset: Which bars, and whether the offline ones.
        first: First out-of-sample bar.
        last: The last one.
        cells: Sharpe ratio with its interval, strongest opponent, return, drawdown.
        grade: Of the evidence, as a class.
        grade_label: The same in words.
        grade_rank: The same as a number, to sort by.
        certificate: What was looked for.
        started_at: When it ran, UTC.
        links: Its pages: label and address.
    """

    checkbox_value: str
    run_id: str
    name: str
    symbols: str
    dataset: str
    first: str
    last: str
    cells: tuple[IndexCell, ...]
    grade: str
    grade_label: str
    grade_rank: int
    certificate: str
    started_at: str
    links: tuple[tuple[str, str], ...]


def render_index(
    entries: Sequence[RunEntry], comparisons: Sequence[ComparisonEntry], folder_label: str
) -> str:
    """The page, self-contained but for its links to other pages.

    Args:
        entries: Every run.
        comparisons: Every comparison.
        folder_label: Of the folder, in words.
    """
    whole = [_index_row(entry, entry.summary) for entry in entries if entry.summary]
    damaged = [(entry.relative_path, entry.problem) for entry in entries if not entry.summary]
    return render_template(
        "index.html.j2",
        page="index",
        place=folder_label,
        count=formatting.count_of(len(whole), "run"),
        rows=whole,
        damaged=damaged,
        comparisons=[
            (
                each.relative_path,
                page_url(each.relative_path, "comparison"),
                formatting.timestamp(each.modified_at),
            )
            for each in comparisons
        ],
    )


def page_url(relative_path: str, page: str) -> str:
    """Where the server has a page of a run."""
    return f"/{quote_path(relative_path)}/{page}.html"


def quote_path(relative_path: str) -> str:
    """An address as part of another one, whatever bytes a folder's name is made of."""
    return quote(relative_path, errors="surrogateescape")


def _index_row(entry: RunEntry, summary: RunSummary) -> IndexRow:
    return IndexRow(
        checkbox_value=quote_path(entry.relative_path),
        run_id=summary.run_id,
        name=summary.name,
        symbols=summary.symbols,
        dataset=summary.dataset + (" (offline)" if summary.offline else ""),
        first=summary.first,
        last=summary.last,
        cells=(
            _index_cell(
                formatting.RATIO,
                summary.sharpe,
                formatting.RATIO.interval(summary.sharpe_low, summary.sharpe_high),
            ),
            _index_cell(
                formatting.RATIO,
                summary.opponent_sharpe,
                book_style(summary.opponent).label if summary.opponent else "",
            ),
            _index_cell(formatting.SIGNED_PERCENT, summary.total_return_pct),
            _index_cell(formatting.PERCENT, summary.max_drawdown_pct),
        ),
        grade=summary.grade if summary.grade in GRADE_LABELS else "none",
        grade_label=GRADE_LABELS.get(summary.grade, summary.grade),
        grade_rank=list(GRADE_LABELS).index(summary.grade)
        if summary.grade in GRADE_LABELS
        else -1,
        certificate=(
            "none"
            if summary.cutoff_count is None
            else f"passed, {formatting.count_of(summary.cutoff_count, 'cut')}"
        ),
        started_at=summary.started_at,
        links=tuple((page, page_url(entry.relative_path, page)) for page in PAGES),
    )


def _index_cell(
    number_format: formatting.NumberFormat, value: float | None, subtext: str = ""
) -> IndexCell:
    there = value is not None and formatting.is_finite(value)
    return IndexCell(number_format(value), repr(value) if there else "", subtext)
