"""The summary of a sweep on stdout: a table and the verdict, or one JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.cli.run_summary import ASCII_SIGNS, run_document
from engine.cli.text_table import (
    BAD,
    GRADE_COLOURS,
    MAX_PROSE_WIDTH,
    TextTableColumn,
    colourise,
    render_table,
    sign_colours,
    strip_colours,
    wrap_text,
)
from engine.core.errors import BacktestError
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.backtest.sweep import Sweep
    from engine.runs.run import Run

FAILED_GRADE = "failed"


def render_sweep_json(sweep: Sweep) -> str:
    """One JSON object: `family` (the sweep id), `runs`, `comparison`, `comparison_page`.

    Each of `runs` has `label` and `values`, and either the document of `run_document` with
    `grade_in_family`, the grade with all trials of the sweep counted, or `error` with its parts.
    """
    document = {
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
    return json.dumps(document, indent=2, allow_nan=False)


def render_sweep_text(sweep: Sweep, width: int, *, coloured: bool = False) -> str:
    """A table of the runs, then the verdict on the best of them.

    Args:
        sweep: A finished sweep.
        width: Width of the table; sentences are at most 80 columns wide.
        coloured: Whether to add colour codes.
    """
    prose_width = min(width, MAX_PROSE_WIDTH)
    parts = [
        _heading(sweep),
        "\n".join(render_table(_table_columns(sweep), width)),
        *_verdict_paragraphs(sweep, prose_width),
    ]
    text = "\n\n".join(part for part in parts if part).translate(ASCII_SIGNS)
    return text if coloured else strip_colours(text)


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


def _table_columns(sweep: Sweep) -> list[TextTableColumn]:
    rows = [_run_figures(sweep, outcome) for outcome in sweep.outcomes]

    def column(
        drop_priority: int, heading: str, key: str, unit: formatting.NumberFormat
    ) -> TextTableColumn:
        values = [row.get(key) for row in rows]
        colours = sign_colours(values) if drop_priority < 4 else ()
        return TextTableColumn(
            drop_priority,
            heading,
            [unit.without_suffix(value) for value in values],
            colours=colours,
        )

    grades = [row["grade"] for row in rows]
    intervals = [formatting.RATIO.interval(row.get("low"), row.get("high")) for row in rows]
    return [
        TextTableColumn(
            0,
            "Run",
            [point.label for point in sweep.points],
            align_right=False,
            min_width=22,
            keep_end=True,
        ),
        column(2, "Return %", "total_return_pct", formatting.BARE_PERCENT),
        column(1, "Sharpe", "sharpe", formatting.RATIO),
        TextTableColumn(4, _confidence_label(sweep), intervals),
        column(5, "MDD %", "max_drawdown_pct", formatting.BARE_PERCENT),
        TextTableColumn(
            3,
            "Grade",
            grades,
            align_right=False,
            colours=[GRADE_COLOURS.get(grade, BAD) for grade in grades],
        ),
        TextTableColumn(6, "Run id", [row.get("run_id", "-") for row in rows], align_right=False),
    ]


def _run_figures(sweep: Sweep, outcome: Run | Exception) -> dict[str, Any]:
    """The figures of a run in the table; on the common bars where the runs are compared."""
    if isinstance(outcome, Exception):
        return {"grade": FAILED_GRADE}
    figures = outcome.metrics["books"][STRATEGY]
    interval: Mapping[str, Any] = outcome.significance["sharpe"][STRATEGY]
    comparison = sweep.comparison
    if comparison is not None:
        inference = comparison.sharpe[outcome.run_id]
        figures = comparison.metrics[outcome.run_id] | {"sharpe": inference.estimate}
        interval = {"low": inference.low, "high": inference.high}
    return {
        **figures,
        "low": interval.get("low"),
        "high": interval.get("high"),
        "grade": sweep.adjust_grade(outcome),
        "run_id": outcome.run_id,
    }


def _confidence_label(sweep: Sweep) -> str:
    if sweep.comparison is not None:
        return formatting.confidence_level(sweep.comparison.confidence)
    runs = [run for _, run in sweep.finished_runs]
    return formatting.confidence_level(
        runs[0].significance["method"]["confidence"] if runs else None
    )


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
        f"Evidence: {colourise(comparison.grade, GRADE_COLOURS.get(comparison.grade))}",
        wrap_text(overfitting_text, width),
        wrap_text(
            f"Grades count all {len(sweep.finished_runs)} runs as trials; the pages of a run "
            "count those that were in the ledger when it ran.",
            width,
        ),
        f"comparison   {sweep.comparison_page}" if sweep.comparison_page else "",
    ]
