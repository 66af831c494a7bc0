"""The summary of a sweep on stdout: a table and the verdict, or one JSON object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.cli.run_summary import run_document
from engine.cli.terminal import BAD, strip_styles, styled
from engine.cli.text_table import (
    ASCII_SIGNS,
    GRADE_COLOURS,
    MAX_PROSE_WIDTH,
    TextTableColumn,
    render_table,
    sign_colours,
    wrap_text,
)
from engine.core.control_characters import escape_line
from engine.core.errors import BacktestError
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY

if TYPE_CHECKING:
    from engine.backtest.sweep import Sweep
    from engine.runs.run import Run

FAILED_GRADE = "failed"


def sweep_document(sweep: Sweep) -> dict[str, Any]:
    """The JSON object of `--json`, with the sweep id as `family`.

    Each of `runs` has `label` and `values`, and either the document of `run_document` with
    `grade_in_family`, the grade with all trials of the sweep counted, or `error` with its parts.
    """
    return {
        "family": sweep.sweep_id,
        "runs": [
            {
                "label": point.label,
                "values": dict(point.values),
                **_outcome_document(sweep, outcome),
            }
            for point, outcome in zip(sweep.points, sweep.outcomes, strict=True)
        ],
        "comparison": sweep.comparison and sweep.comparison.as_dict(),
        "comparison_page": sweep.comparison_page and str(sweep.comparison_page),
    }


def render_sweep_text(sweep: Sweep, width: int, *, coloured: bool = False) -> str:
    """A table of the runs, then the verdict on the best of them.

    Args:
        sweep: A finished sweep.
        width: Width of the table; sentences are at most 80 columns wide.
        coloured: Whether to add marks for colours.
    """
    prose_width = min(width, MAX_PROSE_WIDTH)
    parts = [
        _heading(sweep),
        "\n".join(render_table(_table_columns(sweep), width)),
        *_verdict_paragraphs(sweep, prose_width),
    ]
    text = "\n\n".join(part for part in parts if part).translate(ASCII_SIGNS)
    return text if coloured else strip_styles(text)


def _outcome_document(sweep: Sweep, outcome: Run | Exception) -> dict[str, Any]:
    if not isinstance(outcome, Exception):
        return run_document(outcome) | {"grade_in_family": sweep.adjust_grade(outcome)}
    if isinstance(outcome, BacktestError):
        names = ("problem", "expected", "found", "where", "fix")
        parts = {name: getattr(outcome, name) for name in names}
    else:
        parts = {"problem": str(outcome)}
    return {"error": {"class": type(outcome).__name__, **parts}}


def _heading(sweep: Sweep) -> str:
    count = formatting.count_of(len(sweep.points), "run")
    failed = f", {len(sweep.failures)} failed" if sweep.failures else ""
    return f"sweep {sweep.sweep_id}: {count}{failed}"


@dataclass(frozen=True)
class _SweepRow:
    """The figures of one run in the table; None, or `-`, for a run that failed."""

    grade: str = FAILED_GRADE
    run_id: str = "-"
    total_return_pct: float | None = None
    max_drawdown_pct: float | None = None
    sharpe: float | None = None
    low: float | None = None
    high: float | None = None


def _table_columns(sweep: Sweep) -> list[TextTableColumn]:
    rows = [_sweep_row(sweep, outcome) for outcome in sweep.outcomes]

    def column(
        drop_priority: int,
        heading: str,
        values: list[float | None],
        unit: formatting.NumberFormat,
    ) -> TextTableColumn:
        colours = sign_colours(values) if drop_priority < 4 else ()
        cells = [unit.without_suffix(value) for value in values]
        return TextTableColumn(drop_priority, heading, cells, colours=colours)

    labels = [point.label for point in sweep.points]
    grades = [row.grade for row in rows]
    grade_colours = [GRADE_COLOURS.get(grade, BAD) for grade in grades]
    intervals = [formatting.RATIO.interval(row.low, row.high) for row in rows]
    percent = formatting.BARE_PERCENT
    return [
        TextTableColumn(0, "Run", labels, align_right=False, min_width=22, keep_end=True),
        column(2, "Return %", [row.total_return_pct for row in rows], percent),
        column(1, "Sharpe", [row.sharpe for row in rows], formatting.RATIO),
        TextTableColumn(4, _confidence_label(sweep), intervals),
        column(5, "MDD %", [row.max_drawdown_pct for row in rows], percent),
        TextTableColumn(3, "Grade", grades, align_right=False, colours=grade_colours),
        TextTableColumn(6, "Run id", [row.run_id for row in rows], align_right=False),
    ]


def _sweep_row(sweep: Sweep, outcome: Run | Exception) -> _SweepRow:
    """The row of a run; on the common bars where the runs are compared."""
    if isinstance(outcome, Exception):
        return _SweepRow()
    run_id, comparison = outcome.run_id, sweep.comparison
    if comparison is None:
        metrics, interval = outcome.metrics.books[STRATEGY], outcome.significance.sharpe[STRATEGY]
        sharpe, low, high = metrics.sharpe, interval.low, interval.high
    else:
        metrics, inference = comparison.metrics[run_id], comparison.sharpe[run_id]
        sharpe, low, high = inference.estimate, inference.low, inference.high
    return _SweepRow(
        grade=sweep.adjust_grade(outcome),
        run_id=run_id,
        total_return_pct=metrics.total_return_pct,
        max_drawdown_pct=metrics.max_drawdown_pct,
        sharpe=sharpe,
        low=low,
        high=high,
    )


def _confidence_label(sweep: Sweep) -> str:
    if sweep.comparison is not None:
        return formatting.confidence_level(sweep.comparison.confidence)
    runs = [run for _, run in sweep.finished_runs]
    return formatting.confidence_level(runs[0].significance.method.confidence if runs else None)


def _verdict_paragraphs(sweep: Sweep, width: int) -> list[str]:
    comparison = sweep.comparison
    if comparison is None:
        return [wrap_text(f"No comparison: {sweep.comparison_error}.", width)]
    overfitting = comparison.overfitting
    overfitting_text = (
        f"Probability of backtest overfitting {formatting.RATIO(overfitting.probability)}: how "
        "often the best run in one half of the bars is below the median in the other half."
        if overfitting
        else ""
    )
    return [
        wrap_text(f"Verdict: {' '.join(comparison.sentences)}", width),
        f"Evidence: {styled(comparison.grade, GRADE_COLOURS.get(comparison.grade))}",
        wrap_text(overfitting_text, width),
        wrap_text(
            f"Grades count all {len(sweep.finished_runs)} runs as trials; the pages of a run "
            "count those that were in the ledger when it ran.",
            width,
        ),
        f"comparison   {escape_line(str(sweep.comparison_page))}" if sweep.comparison_page else "",
    ]
