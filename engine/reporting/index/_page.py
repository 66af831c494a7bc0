"""The index page: one row per run, to sort, filter and select for a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.reporting import formatting
from engine.reporting.book_styles import book_style
from engine.reporting.header import GRADE_LABELS
from engine.reporting.site import RUNS_URL, render_site_page
from engine.runs.folder import PAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.index._run_entries import ComparisonEntry, RunEntry, RunSummary


COMPARE_URL = f"{RUNS_URL}/compare"
"""Address of the comparison of selected runs."""


@dataclass(frozen=True)
class IndexCell:
    """A figure as text, the number by which it is sorted (empty if none), and text below it."""

    text: str
    sort_value: str
    subtext: str = ""


@dataclass(frozen=True)
class IndexRow:
    """One run as text.

    Attributes:
        checkbox_value: `<strategy>/<run id>`, quoted: the value of its checkbox.
        run_id: Run id.
        name: Name of the strategy.
        symbols: Traded symbols.
        dataset: Name of the dataset, and whether it is the offline one.
        first: First out-of-sample bar.
        last: Last out-of-sample bar.
        cells: Sharpe ratio with its interval, best benchmark, return, max drawdown.
        grade: Grade of the evidence, as a CSS class.
        grade_label: The grade in words.
        grade_rank: The grade as a number to sort by.
        leakage_test: Result of the look-ahead test, in short.
        leakage_test_detail: The same with the number of cutoffs.
        started_at: Start of the run, UTC.
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
    leakage_test: str
    leakage_test_detail: str
    started_at: str
    links: tuple[tuple[str, str], ...]


def render_index(
    entries: Sequence[RunEntry], comparisons: Sequence[ComparisonEntry], folder_label: str
) -> str:
    """The page of the server with a row for each run.

    Args:
        entries: All runs, damaged ones too.
        comparisons: All comparison pages.
        folder_label: Name of the folder, as shown.
    """
    readable = [_index_row(entry, entry.summary) for entry in entries if entry.summary]
    damaged = [(entry.relative_path, entry.problem) for entry in entries if not entry.summary]
    return render_site_page(
        "index.html.j2",
        area="runs",
        compare_url=COMPARE_URL,
        folder_label=folder_label,
        count=formatting.count_of(len(readable), "run"),
        rows=readable,
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
    """Address of a page of a run on the server."""
    return f"{RUNS_URL}/{quote_path(relative_path)}/{page}.html"


def quote_path(relative_path: str) -> str:
    """A relative path quoted for an address, also where its bytes are no valid UTF-8."""
    return quote(relative_path, errors="surrogateescape")


def _index_row(entry: RunEntry, summary: RunSummary) -> IndexRow:
    cutoffs = summary.cutoff_count
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
                summary.benchmark_sharpe,
                book_style(summary.benchmark).label if summary.benchmark else "",
            ),
            _index_cell(formatting.SIGNED_PERCENT, summary.total_return_pct),
            _index_cell(formatting.PERCENT, summary.max_drawdown_pct),
        ),
        grade=summary.grade,
        grade_label=GRADE_LABELS[summary.grade],
        grade_rank=list(GRADE_LABELS).index(summary.grade),
        leakage_test="not tested" if cutoffs is None else "no look-ahead",
        leakage_test_detail=_leakage_test_detail(cutoffs),
        started_at=summary.started_at,
        links=tuple((page, page_url(entry.relative_path, page)) for page in PAGES),
    )


def _leakage_test_detail(cutoffs: int | None) -> str:
    if cutoffs is None:
        return "Not tested for look-ahead"
    return f"No look-ahead detected at {formatting.count_of(cutoffs, 'cutoff')}"


def _index_cell(
    number_format: formatting.NumberFormat, value: float | None, subtext: str = ""
) -> IndexCell:
    is_known = value is not None and formatting.is_finite(value)
    return IndexCell(number_format(value), repr(value) if is_known else "", subtext)
