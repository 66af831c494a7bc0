"""A family of runs on stdout: a table and one verdict for people, one JSON object for scripts."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from engine.cli.columns import BAD, GRADES, WIDEST_PROSE, Column, painted, plain, signed, table
from engine.cli.summary import PLAIN, as_tree
from engine.errors import BacktestError
from engine.reporting import formatting
from engine.reporting.books import STRATEGY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.artifacts import Run
    from engine.pipeline.family import Family

FAILED = "failed"
EQUALS = f"{formatting.NO_BREAK}={formatting.NO_BREAK}"


def as_json(family: Family) -> str:
    """One JSON object: `family`, `runs`, `comparison`, `comparison_page`.

    Each of `runs` has `label` and `values`, and what `--json` tells of a run with the grade that
    is left where all trials of the family count, `grade_in_family`; or `error` with its parts.
    """
    told = {
        "family": family.family,
        "runs": [
            {"label": member.label, "values": dict(member.values), **_told(family, outcome)}
            for member, outcome in zip(family.members, family.outcomes, strict=True)
        ],
        "comparison": family.comparison and family.comparison.told(),
        "comparison_page": family.page and str(family.page),
    }
    return json.dumps(told, indent=2, allow_nan=False)


def as_text(family: Family, width: int, *, coloured: bool = False) -> str:
    """A table of the runs, then the verdict on the best of them.

    Args:
        family: Finished.
        width: Columns to fit into.
        coloured: With the codes that colour a terminal.
    """
    prose = min(width, WIDEST_PROSE)
    parts = [_heading(family), "\n".join(table(_columns(family), width)), *_judged(family, prose)]
    text = "\n\n".join(part for part in parts if part).translate(PLAIN)
    return text if coloured else plain(text)


def _told(family: Family, outcome: Run | Exception) -> dict[str, Any]:
    if not isinstance(outcome, Exception):
        return as_tree(outcome) | {"grade_in_family": family.grade(outcome)}
    if isinstance(outcome, BacktestError):
        names = ("problem", "expected", "found", "where", "fix")
        parts = {name: getattr(outcome, name) for name in names}
    else:
        parts = {"problem": str(outcome)}
    return {"error": {"class": type(outcome).__name__, **parts}}


def _heading(family: Family) -> str:
    count = formatting.count_of(len(family.members), "run")
    failed = f", {len(family.failures)} of them failed" if family.failures else ""
    return f"family {family.family}: {count}{failed}"


def _columns(family: Family) -> list[Column]:
    rows = [_figures(family, outcome) for outcome in family.outcomes]

    def column(rank: int, heading: str, key: str, unit: formatting.Unit) -> Column:
        values = [row.get(key) for row in rows]
        colours = signed(values) if rank < 4 else ()
        return Column(rank, heading, [unit.bare(value) for value in values], colours=colours)

    grades = [row["grade"] for row in rows]
    intervals = [formatting.RATIO.interval(row.get("low"), row.get("high")) for row in rows]
    return [
        Column(
            0, "Run", [member.label for member in family.members], right=False, least=22, tail=True
        ),
        column(2, "Return %", "total_return_pct", formatting.BARE_PERCENT),
        column(1, "Sharpe", "sharpe", formatting.RATIO),
        Column(4, _level(family), intervals),
        column(5, "DD %", "max_drawdown_pct", formatting.BARE_PERCENT),
        Column(
            3, "Grade", grades, right=False, colours=[GRADES.get(grade, BAD) for grade in grades]
        ),
        Column(6, "Run id", [row.get("run_id", "-") for row in rows], right=False),
    ]


def _figures(family: Family, outcome: Run | Exception) -> dict[str, Any]:
    """What the table has of a run; where runs are compared, on the bars that all of them have."""
    if isinstance(outcome, Exception):
        return {"grade": FAILED}
    own = outcome.metrics["books"][STRATEGY]
    interval: Mapping[str, Any] = outcome.significance["sharpe"][STRATEGY]
    found = family.comparison
    if found is not None:
        inferred = found.sharpe[outcome.run_id]
        own = found.figures[outcome.run_id] | {"sharpe": inferred.estimate}
        interval = {"low": inferred.low, "high": inferred.high}
    return {
        **own,
        "low": interval.get("low"),
        "high": interval.get("high"),
        "grade": family.grade(outcome),
        "run_id": outcome.run_id,
    }


def _level(family: Family) -> str:
    if family.comparison is not None:
        return formatting.level(family.comparison.confidence)
    runs = [run for _, run in family.runs]
    return formatting.level(runs[0].significance["method"]["confidence"] if runs else None)


def _judged(family: Family, width: int) -> list[str]:
    found = family.comparison
    if found is None:
        return [_filled(f"No comparison: {family.uncompared}.", width)]
    chosen = found.overfitting
    overfitted = (
        f"Probability of backtest overfitting {formatting.RATIO(chosen.probability)}: how often "
        "the best of one half of the bars is below the median of the runs in the other."
        if chosen
        else ""
    )
    return [
        _filled(f"Verdict: {' '.join(found.sentences)}", width),
        f"Evidence: {painted(found.grade, GRADES.get(found.grade))}",
        _filled(overfitted, width),
        _filled(
            f"Grades count all {len(family.runs)} runs as trials; a run's own pages count those "
            "that were known when it ran.",
            width,
        ),
        f"comparison   {family.page}" if family.page else "",
    ]


def _filled(text: str, width: int) -> str:
    joined = text.replace(" %", f"{formatting.NO_BREAK}%").replace(" = ", EQUALS)
    return textwrap.fill(joined, width, break_long_words=False)
