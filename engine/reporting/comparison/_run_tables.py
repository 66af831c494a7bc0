"""Tables of the compared runs: settings that differ, metrics, origins; styles of their lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, COLOURED_KINDS, STRATEGY, BookStyle
from engine.reporting.header import GRADE_LABELS
from engine.reporting.tables import PlainTable
from engine.runs.documents.metrics import BookMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from engine.comparison import RunComparison, SettingDifference
    from engine.core.json_text import Json
    from engine.runs.run import Run

OTHER_RUN_HUES = tuple(range(COLOURED_KINDS.index(BUY_AND_HOLD) + 1, len(COLOURED_KINDS) + 1))
"""Colours of runs other than the reference, which has the colour of a strategy."""

DASH_STYLES = 4

MAX_VALUE_CHARS = 160
"""Longer values are truncated."""

SHARPE_LABEL = "Sharpe ratio"


@dataclass(frozen=True)
class RunRow:
    """A run in the table of metrics; all but `book` is text.

    Attributes:
        book: Label and colour.
        href: Address of its tearsheet, None where there is none.
        run_id: Run id.
        tags: Roles of the run: the reference, the one with the highest Sharpe ratio.
        cells: Metrics on the common bars, in the order of the columns: text, text below it, and
            whether it is the best of its column.
    """

    book: BookStyle
    href: str | None
    run_id: str
    tags: tuple[str, ...]
    cells: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class RunOriginRow:
    """Dataset of a run, and its figures over its own out-of-sample span."""

    book: BookStyle
    run_id: str
    dataset: str
    first: str
    last: str
    bars: str
    excluded_bars: str
    sharpe: str
    trades: str
    cost: str
    evidence: str
    leakage_test: str
    started_at: str


def assign_run_styles(comparison: RunComparison) -> tuple[BookStyle, ...]:
    """One style per run, keyed by run id; runs differ in colour first, then in dashes."""
    books = []
    for number, (run, label) in enumerate(comparison.labels.items()):
        dash_round, hue_index = divmod(number - 1, len(OTHER_RUN_HUES))
        hue = 0 if number == 0 else OTHER_RUN_HUES[hue_index]
        dash = 1 if number == 0 else dash_round % DASH_STYLES + 1
        books.append(BookStyle(run, label, "", f"hue-{hue}", f"dash-{dash}"))
    return tuple(books)


def make_run_rows(
    runs: Sequence[Run],
    comparison: RunComparison,
    books: Sequence[BookStyle],
    tearsheet_link: Callable[[Run], str | None],
) -> list[RunRow]:
    """One row per run, in the order given."""
    return [
        RunRow(
            each,
            tearsheet_link(run),
            run.run_id,
            _run_tags(run.run_id, comparison),
            _run_cells(run.run_id, comparison),
        )
        for run, each in zip(runs, books, strict=True)
    ]


def _run_tags(run: str, comparison: RunComparison) -> tuple[str, ...]:
    tags = (("reference", comparison.reference), ("highest Sharpe ratio", comparison.best))
    return tuple(tag for tag, tagged_run in tags if tagged_run == run)


def _run_cells(run: str, comparison: RunComparison) -> tuple[tuple[str, str, bool], ...]:
    figures, sharpe = comparison.metrics[run], comparison.sharpe[run]
    interval = formatting.RATIO.interval(sharpe.low, sharpe.high)
    difference = comparison.differences.get(run)
    difference_text = formatting.SIGNED_RATIO(difference.estimate) if difference else "reference"
    return (
        (formatting.RATIO(sharpe.estimate), interval, run == comparison.best),
        (difference_text, "", False),
        (formatting.SIGNED_PERCENT(figures.total_return_pct), "", False),
        (formatting.SIGNED_PERCENT(figures.cagr_pct), "", False),
        (formatting.PERCENT(figures.volatility_pct), "", False),
        (formatting.PERCENT(figures.max_drawdown_pct), "", False),
    )


def make_origin_rows(
    runs: Sequence[Run], comparison: RunComparison, books: Sequence[BookStyle]
) -> list[RunOriginRow]:
    """One row per run: dataset, its own span and figures, grade and look-ahead test."""
    return [_origin_row(run, each, comparison) for run, each in zip(runs, books, strict=True)]


def _origin_row(run: Run, style: BookStyle, comparison: RunComparison) -> RunOriginRow:
    dataset, span = run.manifest.dataset, run.metrics.span
    figures = run.metrics.books.get(STRATEGY) or BookMetrics()
    offline_note = " (offline)" if dataset.offline else ""
    excluded = comparison.bars_left_out[run.run_id]
    return RunOriginRow(
        book=style,
        run_id=run.run_id,
        dataset=f"{dataset.name}{offline_note}",
        first=formatting.timestamp(span.first),
        last=formatting.timestamp(span.last),
        bars=formatting.COUNT(span.bars),
        excluded_bars=f"{formatting.COUNT(excluded)} excluded" if excluded else "",
        sharpe=formatting.RATIO(figures.sharpe),
        trades=formatting.COUNT(figures.trades),
        cost=formatting.PERCENT(figures.cost_paid_pct),
        evidence=GRADE_LABELS[run.significance.verdict.grade],
        leakage_test=_leakage_test_text(run),
        started_at=formatting.timestamp(run.manifest.started_at),
    )


def _leakage_test_text(run: Run) -> str:
    if run.certificate is None:
        return "none"
    return f"passed, {formatting.count_of(len(run.certificate.cutoffs), 'cutoff')}"


def config_diff_table(comparison: RunComparison) -> PlainTable:
    """The keys whose values differ, with the Sharpe ratio of each run; no rows where none differs.

    Runs are the rows where there are more runs than keys, else the columns. A key that a run does
    not have is `MISSING`, one set to null `none`.
    """
    labels = tuple(comparison.labels.values())
    keys = (*(setting.key for setting in comparison.setting_differences), SHARPE_LABEL)
    rows = [
        (
            *(_setting_text(setting, run) for setting in comparison.setting_differences),
            formatting.RATIO(comparison.sharpe[run].estimate),
        )
        for run in comparison.labels
    ]
    if not comparison.setting_differences:
        return PlainTable(("Run",), ())
    if len(labels) > len(comparison.setting_differences):
        return PlainTable(("Run", *keys), _with_row_names(labels, rows))
    return PlainTable(("Key", *labels), _with_row_names(keys, zip(*rows, strict=True)))


def _with_row_names(
    names: Iterable[str], rows: Iterable[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    return tuple((name, *row) for name, row in zip(names, rows, strict=True))


def _setting_text(setting: SettingDifference, run: str) -> str:
    if run not in setting.values:
        return formatting.MISSING
    text = _json_text(setting.values[run])
    if setting.key.endswith(".sha256"):
        return formatting.short_hash(text)
    return (
        text
        if len(text) <= MAX_VALUE_CHARS
        else text[:MAX_VALUE_CHARS] + "\N{HORIZONTAL ELLIPSIS}"
    )


def _json_text(value: Json) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
