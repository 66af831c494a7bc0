"""The summary of an interpretation on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli.text_table import (
    ASCII_SIGNS,
    TextTableColumn,
    output_width,
    prose_width,
    render_table,
    sign_colours,
    wrap_text,
)
from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runs.documents.interpretation import (
        BarAttribution,
        FeatureAttribution,
        Interpretation,
    )

SHOWN_INPUTS = 20
"""Rows of the table; the page has all."""


def render_interpretation_text(document: Interpretation) -> str:
    """The sentence, a table of the inputs, the closest rule, and the bar that was asked for."""
    width = output_width()
    parts = [wrap_text(document.sentence, prose_width())]
    if document.bar is not None:
        parts.append(_bar_text(document.bar, width))
    shown = document.features[:SHOWN_INPUTS]
    parts.append("\n".join(render_table(_input_columns(shown), width)))
    if len(document.features) > len(shown):
        more = formatting.count_of(len(document.features) - len(shown), "further input")
        parts.append(f"{more} on the page")
    told = document.completeness.gradient_above_pct
    if told:
        parts.append(
            wrap_text(
                f"Integrated gradients do not add up to {formatting.PERCENT(told)} of the "
                f"forecasts: the largest gap is {document.completeness.gradient_error:.1e} of "
                "their standard deviation.",
                prose_width(),
            )
        )
    return "\n\n".join(parts).translate(ASCII_SIGNS)


def _input_columns(inputs: Sequence[FeatureAttribution]) -> list[TextTableColumn]:
    added = [each.added_correlation for each in inputs]
    return [
        TextTableColumn(0, "Input", [each.name for each in inputs], align_right=False),
        TextTableColumn(1, "Share %", [f"{each.share_pct:.1f}" for each in inputs]),
        TextTableColumn(3, "Shapley bps", [f"{each.shapley_bps:.2f}" for each in inputs]),
        TextTableColumn(
            0,
            "Added correlation",
            [formatting.FINE_SIGNED_RATIO(value) for value in added],
            colours=[
                colour if each.matters else None
                for each, colour in zip(inputs, sign_colours(added), strict=True)
            ],
        ),
        TextTableColumn(2, "p (FDR)", [formatting.p_value(each.p_adjusted) for each in inputs]),
    ]


def _bar_text(bar: BarAttribution, width: int) -> str:
    head = (
        f"{bar.symbol} at {formatting.timestamp(bar.timestamp)}: forecast "
        f"{formatting.SIGNED_BPS(bar.forecast_bps)}, where train rows have "
        f"{formatting.SIGNED_BPS(bar.base_bps)}"
    )
    values = [each.shapley_bps for each in bar.features]
    columns = [
        TextTableColumn(0, "Input", [each.name for each in bar.features], align_right=False),
        TextTableColumn(
            1,
            "Value",
            ["" if each.value is None else f"{each.value:.6g}" for each in bar.features],
        ),
        TextTableColumn(
            0,
            "Adds bps",
            [formatting.SIGNED_BPS.without_suffix(value) for value in values],
            colours=sign_colours(values),
        ),
    ]
    return "\n".join([wrap_text(head, prose_width()), *render_table(columns, width)])
