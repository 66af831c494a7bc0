"""The sensitivity surface in heatmaps, and its break-even cost in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts.heatmap import Heatmap, heatmap_cells

if TYPE_CHECKING:
    from engine.runs.documents import Significance
    from engine.runs.documents.significance_models import SensitivityFigures

THRESHOLD_UNIT_LABELS = {
    "bps": "bps",
    "round trips": "round trips of cost",
    "quantile": "quantile",
}


def sensitivity_heatmaps(surface: SensitivityFigures) -> tuple[Heatmap, ...]:
    """The sensitivity surface as one heatmap per delay, all on one colour scale.

    Args:
        surface: `significance.sensitivity`.
    """
    chosen, delays = surface.chosen, surface.delay_bars
    values = [cell for sheet in surface.sharpe for row in sheet for cell in row if cell]
    full_colour = max(0.5, *map(abs, values)) if values else 0.5
    chosen_threshold = surface.threshold.index(chosen.threshold)
    ranked = len(surface.threshold) == 1  # forecasts are compared with each other
    return tuple(
        Heatmap(
            title=f"Filled {formatting.count_of(delay, 'bar')} after the decision"
            + (", as the run was" if delay == chosen.delay_bars else ""),
            column_label="Forecasts ranked"
            if ranked
            else f"Enters above, {THRESHOLD_UNIT_LABELS[surface['threshold_unit']]}",
            columns=("no threshold",)
            if ranked
            else tuple(formatting.tick_label(entry) for entry in surface.threshold),
            row_label="Cost, bps",
            rows=tuple(
                (
                    formatting.tick_label(cost),
                    heatmap_cells(
                        sheet[number],
                        full_colour=full_colour,
                        number_format=formatting.SIGNED_RATIO,
                        chosen_index=chosen_threshold
                        if (cost, delay) == (chosen.cost_bps, chosen.delay_bars)
                        else None,
                    ),
                )
                for cost, sheet in zip(surface.cost_bps, surface.sharpe, strict=True)
            ),
        )
        for number, delay in enumerate(delays)
    )


def break_even_sentence(significance: Significance) -> str:
    """Break-even cost and the cost charged, in a sentence; empty where there is no surface."""
    surface = significance.sensitivity
    if not surface:
        return ""
    chosen, limit = surface.chosen, surface.break_even_cost_bps
    charged = formatting.BPS(chosen.cost_bps)
    if chosen.sharpe is None:
        return ""
    if limit == 0 or (limit is None and chosen.sharpe <= 0):
        return f"It earns nothing before costs either; {charged} a fill were charged."
    if limit is None:
        searched = formatting.BPS(surface.searched_to_bps)
        return f"No cost up to {searched} a fill brings its total return to zero."
    return (
        f"Its total return is zero at a cost of {formatting.BPS(limit)} a fill; {charged} were "
        "charged."
    )
