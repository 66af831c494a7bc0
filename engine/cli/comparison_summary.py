"""A comparison on stdout: a table and the answer for people, one JSON object for scripts."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from engine.cli.columns import GRADES, Column, painted, signed, table
from engine.cli.summary import PLAIN
from engine.reporting import formatting

if TYPE_CHECKING:
    from pathlib import Path

    from engine.evaluation.comparison import Comparison


def as_json(found: Comparison, page: Path) -> str:
    """One JSON object: every figure, and where the page is."""
    return json.dumps({**found.told(), "page": str(page)}, indent=2, allow_nan=False)


def as_text(found: Comparison, page: Path, width: int) -> str:
    """What is compared, a row a run, the answer, and the path of the page.

    Args:
        found: The comparison.
        page: Its page.
        width: Columns to fit into.
    """
    index = found.returns.index
    head = (
        f"{formatting.count_of(len(found.labels), 'run')} compared on "
        f"{formatting.span(index[0], index[-1])}, {formatting.BARS(len(index))}"
    )
    parts = [
        head,
        "\n".join(table(_columns(found), width)),
        "\n".join(_filled(sentence, width) for sentence in found.sentences),
        f"Evidence: {painted(found.grade, GRADES.get(found.grade))}",
        f"comparison   {page}",
    ]
    return "\n\n".join(parts).translate(PLAIN)


def _filled(text: str, width: int) -> str:
    """Lines of whole words, a number and its unit on the same one."""
    joined = text.replace(" %", f"{formatting.NO_BREAK}%")
    return textwrap.fill(joined, width, break_long_words=False)


def _columns(found: Comparison) -> list[Column]:
    runs = list(found.labels)
    sharpes = [found.sharpe[run] for run in runs]
    less = [found.differences.get(run) for run in runs]

    def figures(rank: int, heading: str, unit: formatting.Unit, key: str) -> Column:
        values = [found.figures[run][key] for run in runs]
        return Column(rank, heading, [unit.bare(value) for value in values])

    returns = [found.figures[run]["total_return_pct"] for run in runs]
    return [
        Column(0, "Run", list(found.labels.values()), right=False, least=20),
        Column(6, "Id", runs, right=False),
        Column(1, "Sharpe", [formatting.RATIO(each.estimate) for each in sharpes]),
        Column(
            2,
            formatting.level(found.confidence),
            [formatting.RATIO.interval(each.low, each.high) for each in sharpes],
        ),
        Column(
            3,
            "Less first",
            [formatting.SIGNED_RATIO(each.estimate) if each else "reference" for each in less],
        ),
        Column(5, "p (Holm)", [_p_value(found, run) for run in runs]),
        Column(
            4,
            "Return %",
            [formatting.BARE_PERCENT.bare(value) for value in returns],
            colours=signed(returns),
        ),
        figures(7, "DD %", formatting.BARE_PERCENT, "max_drawdown_pct"),
        figures(8, "Vol. %", formatting.PERCENT, "volatility_pct"),
        Column(9, "Trial", [formatting.COUNT(found.clusters[run] + 1) for run in runs]),
    ]


def _p_value(found: Comparison, run: str) -> str:
    return formatting.p_value(found.differences_holm.get(run))
