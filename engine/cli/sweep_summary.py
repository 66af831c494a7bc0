"""A family of runs on stdout: a table and one verdict for people, one JSON object for scripts."""

from __future__ import annotations

import json
import textwrap
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
)
from engine.core.errors import BacktestError
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.backtest.sweep import Sweep
    from engine.runs.run import Run

FAILED_GRADE = "failed"
NO_BREAK_EQUALS = f"{formatting.NO_BREAK_SPACE}={formatting.NO_BREAK_SPACE}"


def render_sweep_json(sweep: Sweep) -> str:
    """One JSON object: `sweep`, `runs`, `comparison`, `comparison_page`.

    Each of `runs` has `label` and `values`, and what `--json` tells of a run with the grade that
    is left where all trials of the family count, `grade_in_family`; or `error` with its parts.
    """
    told = {
        "family": sweep.sweep_id,
        "runs": [
            {
                "label": member.label,
                "values": dict(member.values),
                **_outcome_document(sweep, outcome),
            }
            for member, outcome in zip(sweep.points, sweep.outcomes, strict=True)
        ],
        "comparison": sweep.comparison and sweep.comparison.as_dict(),
        "comparison_page": sweep.comparison_page and str(sweep.comparison_page),
    }
    return json.dumps(told, indent=2, allow_nan=False)


def render_sweep_text(sweep: Sweep, width: int, *, coloured: bool = False) -> str:
    """A table of the runs, then the verdict on the best of them.

    Args:
        sweep: Finished.
        width: Columns to fit into.
        coloured: With the codes that colour a terminal.
    """
    prose = min(width, MAX_PROSE_WIDTH)
    parts = [
        _heading(sweep),
        "\n".join(render_table(_table_columns(sweep), width)),
        *_verdict_paragraphs(sweep, prose),
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
    failed = f", {len(sweep.failures)} of them failed" if sweep.failures else ""
    return f"family {sweep.sweep_id}: {count}{failed}"


def _table_columns(sweep: Sweep) -> list[TextTableColumn]:
    rows = [_run_figures(sweep, outcome) for outcome in sweep.outcomes]

    def column(
        rank: int, heading: str, key: str, unit: formatting.NumberFormat
    ) -> TextTableColumn:
        values = [row.get(key) for row in rows]
        colours = sign_colours(values) if rank < 4 else ()
        return TextTableColumn(
            rank, heading, [unit.without_suffix(value) for value in values], colours=colours
        )

    grades = [row["grade"] for row in rows]
    intervals = [formatting.RATIO.interval(row.get("low"), row.get("high")) for row in rows]
    return [
        TextTableColumn(
            0,
            "Run",
            [member.label for member in sweep.points],
            align_right=False,
            min_width=22,
            keep_end=True,
        ),
        column(2, "Return %", "total_return_pct", formatting.BARE_PERCENT),
        column(1, "Sharpe", "sharpe", formatting.RATIO),
        TextTableColumn(4, _confidence_label(sweep), intervals),
        column(5, "DD %", "max_drawdown_pct", formatting.BARE_PERCENT),
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
    """What the table has of a run; where runs are compared, on the bars that all of them have."""
    if isinstance(outcome, Exception):
        return {"grade": FAILED_GRADE}
    own = outcome.metrics["books"][STRATEGY]
    interval: Mapping[str, Any] = outcome.significance["sharpe"][STRATEGY]
    found = sweep.comparison
    if found is not None:
        inferred = found.sharpe[outcome.run_id]
        own = found.metrics[outcome.run_id] | {"sharpe": inferred.estimate}
        interval = {"low": inferred.low, "high": inferred.high}
    return {
        **own,
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
    found = sweep.comparison
    if found is None:
        return [_wrap_text(f"No comparison: {sweep.comparison_error}.", width)]
    chosen = found.overfitting
    overfitted = (
        f"Probability of backtest overfitting {formatting.RATIO(chosen.probability)}: how often "
        "the best of one half of the bars is below the median of the runs in the other."
        if chosen
        else ""
    )
    return [
        _wrap_text(f"Verdict: {' '.join(found.sentences)}", width),
        f"Evidence: {colourise(found.grade, GRADE_COLOURS.get(found.grade))}",
        _wrap_text(overfitted, width),
        _wrap_text(
            f"Grades count all {len(sweep.finished_runs)} runs as trials; a run's own pages "
            f"count those "
            "that were known when it ran.",
            width,
        ),
        f"comparison   {sweep.comparison_page}" if sweep.comparison_page else "",
    ]


def _wrap_text(text: str, width: int) -> str:
    joined = text.replace(" %", f"{formatting.NO_BREAK_SPACE}%").replace(" = ", NO_BREAK_EQUALS)
    return textwrap.fill(joined, width, break_long_words=False)
