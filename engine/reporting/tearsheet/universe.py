"""The book of several symbols: weights, exposures, contributions and forecasts by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.charts.universe import (
    concentration_chart,
    exposures_chart,
    group_weights_chart,
    quantile_fan,
    rank_ic_chart,
)
from engine.reporting.charts.weights import MOST_STACKED, weights_area, weights_map
from engine.reporting.tables import PlainTable
from engine.reporting.tearsheet._contributions import (
    ContributionBars,
    contribution_bars,
    symbols_table,
)
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.core.types import WideFrame
    from engine.reporting.charts.time_chart import TimeChart
    from engine.reporting.charts.weights import WeightsMap
    from engine.reporting.tables import DataTable
    from engine.runs.documents.analysis_universe import (
        ExposureRange,
        GroupFigures,
        UniverseFigures,
    )
    from engine.runs.documents.significance_cross_section import MeanFigures
    from engine.runs.run import Run

_ONE_DIGIT = formatting.NumberFormat(1)


@dataclass(frozen=True)
class UniverseContent:
    """The section.

    Attributes:
        finding: Contributions of single symbols, in a sentence.
        span: First bar, last bar and number of bars.
        headlines: Label, figure, and its meaning.
        area: Weights of a few symbols; None where `weights` has them.
        weights: Weights of more symbols; None where `area` has them.
        bars: Contributions by symbol.
        charts: Charts over time.
        groups: A row a group of symbols; None without groups.
        listing: A row a symbol; None where the fills do not reproduce the returns.
    """

    finding: str
    span: str
    headlines: tuple[tuple[str, str, str], ...]
    area: TimeChart | None
    weights: WeightsMap | None
    bars: ContributionBars | None
    charts: tuple[TimeChart, ...]
    groups: PlainTable | None
    listing: DataTable | None


def universe_section(run: Run) -> TearsheetSection | None:
    """None with one symbol, and for a run of an earlier version."""
    figures = run.analysis.universe
    if figures is None or run.universe is None:
        return None
    weights = _target_weights(run)
    few = weights.shape[1] <= MOST_STACKED
    return TearsheetSection(
        "universe",
        "Universe",
        UniverseContent(
            finding=_finding(figures, run.analysis.confidence),
            span=describe_span(run.returns.index),
            headlines=_headlines(figures, run.analysis.confidence),
            area=weights_area(weights) if few else None,
            weights=None if few else weights_map(weights),
            bars=contribution_bars(figures),
            charts=_charts(run, figures),
            groups=_groups_table(figures) if figures.groups else None,
            listing=symbols_table(figures),
        ),
    )


def _target_weights(run: Run) -> WideFrame:
    own = run.positions[run.positions["book"] == STRATEGY]
    wide = own.pivot(index="timestamp", columns="symbol", values="weight")
    return wide.reindex(index=run.returns.index, columns=list(run.manifest.target)).fillna(0.0)


def _finding(figures: UniverseFigures, confidence: float) -> str:
    tested = [each for each in figures.symbol_figures if each.p_value_holm is not None]
    if not tested:
        return "Contributions of single symbols cannot be told from the fills of this run."
    level = formatting.confidence_level(round(1.0 - confidence, 6))
    counted = formatting.count_of(len(tested), "symbol")
    found = figures.significant_symbols
    if not found:
        return (
            f"Of {counted} none earned or lost more than chance explains, at {level} after "
            "Holm's adjustment for their number: what the book earned is evidence about the "
            "book, not about one of them."
        )
    return (
        f"Of {counted} {formatting.COUNT(found)} earned or lost more than chance explains, at "
        f"{level} after Holm's adjustment for their number."
    )


def _headlines(figures: UniverseFigures, confidence: float) -> tuple[tuple[str, str, str], ...]:
    regression, breadth = figures.universe_regression, figures.breadth
    beta, interval = formatting.MISSING, "too few bars"
    if regression is not None:
        beta = formatting.RATIO(regression.beta)
        bounds = formatting.RATIO.interval(regression.beta_low, regression.beta_high)
        interval = f"{formatting.confidence_level(confidence)} interval {bounds}"
    net = figures.net_pct
    return (
        (
            "Symbols",
            formatting.COUNT(figures.symbols),
            f"as {_ONE_DIGIT(breadth.universe)} independent ones",
        ),
        (
            "Gross weight",
            _mean(figures.gross_pct, formatting.PERCENT),
            "mean over the closes",
        ),
        (
            "Net weight",
            _mean(net, formatting.PERCENT),
            ""
            if net is None
            else f"{formatting.PERCENT.interval(net.lowest, net.highest)} at the extremes",
        ),
        (
            "Effective positions",
            _mean(figures.effective_positions, _ONE_DIGIT),
            "1 / Herfindahl, mean",
        ),
        ("Independent bets", _ONE_DIGIT(breadth.book), "of all positions over the span"),
        ("Market beta", beta, interval),
    )


def _groups_table(figures: UniverseFigures) -> PlainTable:
    def row(name: str, group: GroupFigures) -> tuple[str, ...]:
        percent = formatting.PERCENT
        return (
            name,
            formatting.COUNT(group.symbols),
            percent(group.gross_pct.mean),
            percent(group.gross_pct.highest),
            percent.interval(group.net_pct.lowest, group.net_pct.highest),
            formatting.SIGNED_FINE_PERCENT(group.contribution_pct),
        )

    return PlainTable(
        ("Group", "Symbols", "Gross, mean", "Gross, highest", "Net", "Contribution"),
        tuple(row(name, group) for name, group in figures.groups.items()),
        note="Weights are per cent of the equity, held at each close; the contribution is the log "
        "return after costs.",
        title="Groups of symbols",
    )


def _mean(figures: ExposureRange | None, number_format: formatting.NumberFormat) -> str:
    return formatting.MISSING if figures is None else number_format(figures.mean)


def _charts(run: Run, figures: UniverseFigures) -> tuple[TimeChart, ...]:
    series = run.universe
    assert series is not None
    series = series.set_index(pd.DatetimeIndex(series["timestamp"])).drop(columns="timestamp")
    window = run.analysis.rolling.window_bars
    cross = run.significance.cross_section
    charts = (
        exposures_chart(series, _exposure_finding(figures), window),
        group_weights_chart(series),
        concentration_chart(series, _concentration_finding(figures)),
        quantile_fan(
            series,
            "" if cross is None else _spread_sentence(cross.spread, run.horizon),
            run.horizon,
        ),
        rank_ic_chart(
            series,
            "" if cross is None else _rank_ic_sentence(cross.rank_ic),
            window,
        ),
    )
    return tuple(chart for chart in charts if chart is not None)


def _exposure_finding(figures: UniverseFigures) -> str:
    if figures.net_pct is None or figures.gross_pct is None:
        return ""
    low, high = figures.net_pct.lowest, figures.net_pct.highest
    return (
        f"The net weight ranged from {formatting.PERCENT.interval(low, high)}, the gross weight "
        f"was at most {formatting.PERCENT(figures.gross_pct.highest)}."
    )


def _concentration_finding(figures: UniverseFigures) -> str:
    largest = figures.largest_weight_pct
    if largest is None or figures.effective_positions is None:
        return ""
    return (
        "The book was as concentrated as "
        f"{_ONE_DIGIT(figures.effective_positions.lowest)} equal positions at most; its largest "
        f"weight was {formatting.PERCENT(largest.highest)}."
    )


def _spread_sentence(figures: MeanFigures, horizon: int) -> str:
    if figures.mean is None:
        return ""
    value = formatting.SIGNED_BPS(10_000 * figures.mean)
    over = formatting.count_of(horizon, "bar")
    return f"The highest group returned {value} more than the lowest over {over}{_test(figures)}."


def _rank_ic_sentence(figures: MeanFigures) -> str:
    if figures.mean is None:
        return ""
    mean = formatting.FINE_SIGNED_RATIO(figures.mean)
    return f"The mean rank IC is {mean}{_test(figures)}."


def _test(figures: MeanFigures) -> str:
    if figures.p_value is None:
        return ""
    t = formatting.SIGNED_RATIO(figures.t)
    return f" (HAC t {t}, p {formatting.p_value(figures.p_value)})"
