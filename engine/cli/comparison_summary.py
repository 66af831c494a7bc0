"""The summary of a comparison on stdout: a table and the verdict, or one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.cli.terminal import styled
from engine.cli.text_table import (
    ASCII_SIGNS,
    GRADE_COLOURS,
    TextTableColumn,
    render_table,
    sign_colours,
    wrap_text,
)
from engine.core.control_characters import escape_line
from engine.reporting import formatting

if TYPE_CHECKING:
    from pathlib import Path

    from engine.comparison import RunComparison


def comparison_document(comparison: RunComparison, page: Path) -> dict[str, Any]:
    """The JSON object of `--json`: every figure, and the path of the page."""
    return {**comparison.as_dict(), "page": str(page)}


def render_comparison_text(comparison: RunComparison, page: Path, width: int) -> str:
    """Title, one row per run, the verdict, and the path of the page.

    Args:
        comparison: The comparison.
        page: Path of its page.
        width: Width of the text.
    """
    index = comparison.returns.index
    head = (
        f"{formatting.count_of(len(comparison.labels), 'run')} compared on "
        f"{formatting.date_range(index[0], index[-1])}, {formatting.BARS(len(index))}\n"
        f"Sharpe ratio: {comparison.risk_free_rate.as_risk_free}"
    )
    parts = [
        head,
        "\n".join(render_table(_table_columns(comparison), width)),
        "\n".join(wrap_text(sentence, width) for sentence in comparison.sentences),
        f"Evidence: {styled(comparison.grade, GRADE_COLOURS.get(comparison.grade))}",
        f"comparison   {escape_line(str(page))}",
    ]
    return "\n\n".join(parts).translate(ASCII_SIGNS)


def _table_columns(comparison: RunComparison) -> list[TextTableColumn]:
    runs = list(comparison.labels)
    sharpes = [comparison.sharpe[run] for run in runs]
    differences = [comparison.differences.get(run) for run in runs]

    def figures(
        drop_priority: int, heading: str, unit: formatting.NumberFormat, key: str
    ) -> TextTableColumn:
        values = [getattr(comparison.metrics[run], key) for run in runs]
        return TextTableColumn(
            drop_priority, heading, [unit.without_suffix(value) for value in values]
        )

    returns = [comparison.metrics[run].total_return_pct for run in runs]
    return [
        TextTableColumn(
            0, "Run", list(comparison.labels.values()), align_right=False, min_width=20
        ),
        TextTableColumn(6, "Id", runs, align_right=False),
        TextTableColumn(1, "Sharpe", [formatting.RATIO(each.estimate) for each in sharpes]),
        TextTableColumn(
            2,
            formatting.confidence_level(comparison.confidence),
            [formatting.RATIO.interval(each.low, each.high) for each in sharpes],
        ),
        TextTableColumn(
            3,
            "Difference",
            [
                formatting.SIGNED_RATIO(each.estimate) if each else "reference"
                for each in differences
            ],
        ),
        TextTableColumn(5, "p (Holm)", [_p_value(comparison, run) for run in runs]),
        TextTableColumn(
            4,
            "Return %",
            [formatting.BARE_PERCENT.without_suffix(value) for value in returns],
            colours=sign_colours(returns),
        ),
        figures(7, "MDD %", formatting.BARE_PERCENT, "max_drawdown_pct"),
        figures(8, "Vol. %", formatting.PERCENT, "volatility_pct"),
    ]


def _p_value(comparison: RunComparison, run: str) -> str:
    return formatting.p_value(comparison.differences_holm.get(run))
