"""The page of a placebo: the real result among those on surrogate markets."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.core.storage import write_file
from engine.reporting import formatting
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.plot_layers import (
    LabelledAxis,
    LayerStyle,
    XYAxes,
    bar_layer,
    vertical_line,
)
from engine.reporting.charts.xy_plot import XYPlot, plot_data
from engine.reporting.question_section import QuestionSection, p_value_equation
from engine.reporting.tables import PlainTable
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import Vector
    from engine.runs.documents.placebo import PlaceboDocument

PLACEBO_FILE = "placebo.html"

_EXPLANATIONS = {
    "signs": "Surrogates keep the size of every move at its time, what symbols have in common and "
    "the mean; a coin turns each move about the mean. H0: the direction of a move is such a "
    "coin, whatever came before it.",
    "blocks": "Surrogates are the real bars in blocks of another order. Within a block everything "
    "stays, also what a model can learn there. H0: nothing lasts longer than a block; an edge "
    "of a few bars is in the surrogates too, and is not found.",
    "shifts": "The bars are the real ones; features are those of other bars, in their own order. "
    "H0: features say nothing of the returns that come. A gain from holding stays in the "
    "surrogates.",
}


def explain_kind(kind: str) -> str:
    """What surrogates of a kind keep, and the null hypothesis."""
    return _EXPLANATIONS[kind]


def describe_placebo(document: PlaceboDocument) -> str:
    """The result in a sentence."""
    count = formatting.count_of(document.at_least, "surrogate market", "surrogate markets")
    return (
        f"Sharpe ratio {formatting.SIGNED_RATIO(document.sharpe)} on the real bars; "
        f"{count} of {formatting.COUNT(document.markets)} "
        f"{'has' if document.at_least == 1 else 'have'} one as high: "
        f"{p_value_equation(document.p_value)} for the procedure. Their median is "
        f"{formatting.SIGNED_RATIO(document.median)}, their 95 % quantile "
        f"{formatting.SIGNED_RATIO(document.upper)}."
    )


def write_placebo_page(document: PlaceboDocument, folder: Path) -> Path:
    """Writes `placebo.html` into `folder`, which exists: one file without network access."""
    path = folder / PLACEBO_FILE
    write_file(path, render_placebo(document))
    return path


def render_placebo(document: PlaceboDocument) -> str:
    """The page as text; the same document gives the same bytes."""
    span = (
        f"{formatting.date_range(document.first, document.last)}, {formatting.BARS(document.bars)}"
    )
    return render_template(
        "placebo.html.j2",
        page="placebo",
        name=document.strategy,
        run_id=document.run_id,
        span=span,
        part=_make_section(document, span),
        plot_data=plot_data,
    )


def _make_section(document: PlaceboDocument, span: str) -> QuestionSection:
    ratios = np.array(document.surrogate_sharpes)
    rows = (
        ("Real bars", formatting.SIGNED_RATIO(document.sharpe)),
        ("Lowest surrogate", formatting.SIGNED_RATIO(float(ratios.min()))),
        ("Median", formatting.SIGNED_RATIO(document.median)),
        ("95 % quantile", formatting.SIGNED_RATIO(document.upper)),
        ("Highest surrogate", formatting.SIGNED_RATIO(float(ratios.max()))),
    )
    return QuestionSection(
        key="placebo",
        label="Placebo",
        question="Does the procedure earn as much on markets without what it claims to know?",
        answer=describe_placebo(document),
        description=explain_kind(document.kind)
        + " Every window, seed and trial of tuning is trained again on each surrogate. The "
        "p-value is (1 + surrogates with as high a ratio) / (1 + surrogates); it does not count "
        "other strategies that were tried on the real bars.",
        source="Davison & Hinkley 1997, section 4.2; Politis & Romano 1994; docs/placebo.md",
        plots=(_distribution_plot(document, ratios, span),),
        tables=(PlainTable(("Sharpe ratio", "annualised"), rows),),
        span=span,
    )


def _distribution_plot(document: PlaceboDocument, ratios: Vector, span: str) -> XYPlot:
    """Histogram of the surrogates, with a line at the real ratio and at their 95 % quantile."""
    everything = np.append(ratios, document.sharpe)
    edges = np.histogram_bin_edges(everything, bins=max(8, int(2 * np.sqrt(len(ratios)))))
    counts = np.histogram(ratios, edges)[0].astype(np.float64)
    axes = XYAxes(
        LabelledAxis(
            "Sharpe ratio, annualised",
            linear_axis(float(edges[0]), float(edges[-1]), ticks=8),
            formatting.SIGNED_RATIO,
        ),
        LabelledAxis(
            "surrogate markets",
            linear_axis(0.0, float(counts.max()), ticks=4),
            formatting.COUNT,
        ),
    )
    names = [
        formatting.SIGNED_RATIO.interval(float(low), float(high)) for low, high in pairwise(edges)
    ]
    surrogates = LayerStyle("surrogates", "Surrogate markets", "hue-1")
    return XYPlot(
        key="surrogates",
        title="The real result among the surrogates",
        finding=f"{document.at_least:,} of {document.markets:,} surrogates are at or right of the "
        "real result.",
        description="Number of surrogate markets with a Sharpe ratio in each bin.",
        span=span,
        axes=axes,
        layers=(
            bar_layer(axes, surrogates, (edges[:-1], edges[1:]), counts, names),
            vertical_line(
                axes, LayerStyle("upper", "95 % of the surrogates", "reference"), document.upper
            ),
            vertical_line(axes, LayerStyle("real", "Real bars", "hue-0 strong"), document.sharpe),
        ),
    )
