"""Which bars of the lookback the forecasts depend on, and what attention says of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.heatmap import Heatmap, heatmap_cells
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes, line_layer
from engine.reporting.charts.xy_plot import XYPlot
from engine.reporting.question_section import QuestionSection
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents.interpretation import AttentionFigures, Interpretation


def lookback_section(document: Interpretation) -> QuestionSection:
    """Blocks of bars, and inputs by blocks where there are gradients."""
    with_gradients = any(each.gradient_bps is not None for each in document.steps)
    with_attention = document.attention is not None
    columns = (
        *("Bars before the newest", "Shapley value"),
        *(("Integrated gradient",) if with_gradients else ()),
        *(("Attention",) if with_attention else ()),
    )
    rows = tuple(
        (
            each.bars_before,
            formatting.FINE_BPS(each.shapley_bps),
            *((formatting.FINE_BPS(each.gradient_bps),) if with_gradients else ()),
            *((formatting.PERCENT(each.attention_pct),) if with_attention else ()),
        )
        for each in document.steps
    )
    largest = max(document.steps, key=lambda each: each.shapley_bps)
    total = sum(each.shapley_bps for each in document.steps)
    share = 100 * largest.shapley_bps / total if total > 0 else 0.0
    return QuestionSection(
        key="lookback",
        label="Lookback",
        question="Which bars of the lookback move the forecasts?",
        answer=f"Block {largest.bars_before} (bars before the newest, 0 is the newest) has "
        f"{formatting.PERCENT(share)} of the Shapley values.",
        description="Blocks of bars, all inputs together"
        + (
            "; below, every input by block: mean size of the integrated gradient, in bps."
            if document.cells
            else "."
        ),
        source="as for the inputs",
        heatmaps=(_cell_map(document),) if document.cells else (),
        tables=(PlainTable(columns, rows),),
    )


def attention_section(document: Interpretation) -> list[QuestionSection]:
    """Attention over the bars, with what it is worth; none of a model without."""
    figures = document.attention
    if figures is None:
        return []
    rows = [
        ("Bars it is spread over", formatting.AVERAGE_BARS(figures.effective_bars)),
        ("Rank correlation with gradients", _ratio(figures.gradient_rank_correlation)),
        (
            "Change of the forecast when the bars are permuted",
            f"{formatting.PERCENT(figures.permuted_change_pct)} of its deviation",
        ),
        ("Spread of the seeds", formatting.PERCENT(figures.seed_spread_pct)),
    ]
    return [
        QuestionSection(
            key="attention",
            label="Attention",
            question="What does the attention look at?",
            answer=_attention_answer(figures),
            description="Attention is a weight inside the model, not a reason: a bar with much "
            "attention may change nothing. The correlation with the gradients, bar by bar, says "
            "how far the two agree.",
            source="attention as explanation: Jain and Wallace 2019; rollout: Abnar and Zuidema "
            "2020",
            plots=(_attention_plot(document, figures),),
            tables=(PlainTable(("Attention", ""), tuple(rows)),),
        )
    ]


def symbol_attention_section(document: Interpretation) -> list[QuestionSection]:
    """Attention over symbols; none of a model without."""
    weights = dict(document.symbol_attention)
    if not weights:
        return []
    ordered = sorted(weights.items(), key=lambda each: (-each[1], each[0]))
    symbol, weight = ordered[0]
    return [
        QuestionSection(
            key="symbols",
            label="Symbols",
            question="Which symbols are attended to?",
            answer=f"{symbol} most, with {formatting.PERCENT(weight)}; equal attention would be "
            f"{formatting.PERCENT(100 / len(weights))}.",
            description="Mean attention of the explained forecasts to each symbol.",
            source="Vaswani et al. 2017, over assets as Wang et al. 2019",
            tables=(
                PlainTable(
                    ("Symbol", "Attention"),
                    tuple((name, formatting.PERCENT(own)) for name, own in ordered),
                ),
            ),
        )
    ]


def _attention_answer(figures: AttentionFigures) -> str:
    spread = formatting.AVERAGE_BARS(figures.effective_bars)
    agreement = figures.gradient_rank_correlation
    if agreement is None:
        return f"It is spread over {spread}. Without gradients there is nothing to compare it to."
    return (
        f"It is spread over {spread}, and its rank correlation with the gradients is "
        f"{formatting.SIGNED_RATIO(agreement)}."
    )


def _attention_plot(document: Interpretation, figures: AttentionFigures) -> XYPlot:
    profile = np.array(figures.profile_pct)
    before = np.arange(len(profile), dtype=np.float64)
    axes = XYAxes(
        LabelledAxis("bars before the newest", linear_axis(0.0, before[-1]), formatting.COUNT),
        LabelledAxis("attention, %", linear_axis(0.0, float(profile.max())), formatting.PERCENT),
    )
    return XYPlot(
        key="attention-profile",
        title="Mean attention",
        finding=_attention_answer(figures),
        description="Mean attention of all forecasts to each bar of the lookback, the newest on "
        "the left.",
        span=f"{formatting.count_of(document.bars, 'forecast')}",
        axes=axes,
        layers=(
            line_layer(
                axes, LayerStyle("attention", "Attention", "hue-0 strong"), before, profile
            ),
        ),
        shape="short",
    )


def _cell_map(document: Interpretation) -> Heatmap:
    blocks = [each.bars_before for each in document.steps]
    values = {(each.name, each.bars_before): each.gradient_bps for each in document.cells}
    full = max(values.values()) or 1.0
    return Heatmap(
        title="Integrated gradient, bps",
        column_label="Bars before the newest",
        columns=tuple(blocks),
        row_label="Input",
        rows=tuple(
            (
                feature.name,
                heatmap_cells(
                    [values.get((feature.name, block)) for block in blocks],
                    full_colour=full,
                    number_format=formatting.WEIGHT,
                    chosen_index=None,
                ),
            )
            for feature in document.features
        ),
    )


def _ratio(value: float | None) -> str:
    return formatting.SIGNED_RATIO(value)
