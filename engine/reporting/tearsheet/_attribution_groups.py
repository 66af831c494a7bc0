"""Attribution of the strategy's log return by market regime, by year and by symbol."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, book_style
from engine.reporting.charts.attribution import grouped_bar_plot
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.documents.analysis import RegimeDefinition
    from engine.runs.documents.analysis_returns import ContributionFigures, ContributionGroup

LOG_RETURN_FORMAT = formatting.SIGNED_PERCENT
UNKNOWN_LABEL = "not known yet"
REGIME_KEYS = ("volatility", "trend")


class GroupLabels(NamedTuple):
    """Title of a group, label of its axis, and its description."""

    title: str
    axis_label: str
    description: str


GROUP_LABELS = {
    "volatility": GroupLabels(
        "By volatility", "volatility at the close before", "Log return after costs."
    ),
    "trend": GroupLabels(
        "By trend", "trend at the close before", "Log return after costs, regimes as above."
    ),
    "years": GroupLabels(
        "By year",
        "Year",
        "Log return after costs. Years in UTC; the first and the last may be partial.",
    ),
    "symbols": GroupLabels("By symbol", "Symbol", "Log return after costs of each position."),
}


def describe_regimes(regimes: RegimeDefinition) -> str:
    """Definition of the market regimes, in words."""
    return (
        "Calm, usual and turbulent are the terciles of the volatility of the last "
        f"{formatting.BARS(regimes.volatility_window_bars)} among its latest "
        f"{formatting.COUNT(regimes.volatility_history_bars)} values, or fewer if the history "
        "before the span is shorter. Rising and falling are the sign of the mean return of the "
        f"last {formatting.BARS(regimes.trend_window_bars)}. Both are known at the close."
    )


def attribution_group_plot(
    group: ContributionGroup, regimes: RegimeDefinition, span: str
) -> XYPlot:
    """Log returns after costs of the strategy, and those of buy and hold where known."""
    labels = GROUP_LABELS[group.key]
    series = [(book_style(STRATEGY), [part.net_pct for part in group.parts])]
    if group.total.benchmark_pct is not None:
        benchmark = [_or_nan(part.benchmark_pct) for part in group.parts]
        series.append((book_style(BUY_AND_HOLD), benchmark))
    definition = f" {describe_regimes(regimes)}" if group.key == "volatility" else ""
    return grouped_bar_plot(
        f"attribution-{group.key}",
        (labels.title, labels.axis_label),
        series,
        [part.name or UNKNOWN_LABEL for part in group.parts],
        finding=_best_and_worst_finding(group),
        description=labels.description + definition,
        span=span,
    )


def _best_and_worst_finding(group: ContributionGroup) -> str:
    ranked = sorted(group.parts, key=lambda part: part.net_pct)
    worst, best = ranked[0], ranked[-1]
    if best.net_pct == worst.net_pct == 0:
        return "Nothing was earned or lost in any of them."
    sentence = f"Best: {_part_text(best)}"
    if len(ranked) > 1:
        sentence += f"; worst: {_part_text(worst)}"
    if group.total.benchmark_pct is None:
        return f"{sentence}."
    ahead = sum(part.net_pct > _or_nan(part.benchmark_pct) for part in group.parts)
    return (
        f"{sentence}; ahead of buy and hold in {formatting.COUNT(ahead)} of "
        f"{formatting.COUNT(len(group.parts))}."
    )


def _part_text(part: ContributionFigures) -> str:
    return f"{part.name or UNKNOWN_LABEL}, {LOG_RETURN_FORMAT(part.net_pct)}"


def attribution_group_tables(groups: Sequence[ContributionGroup]) -> tuple[PlainTable, ...]:
    """Share of the bars, gross, costs and net of each part, and their sum."""
    regimes = [group for group in groups if group.key in REGIME_KEYS]
    others = [group for group in groups if group.key not in REGIME_KEYS]
    tables = [
        _group_table([group], labels.axis_label, labels.title)
        for group in others
        for labels in [GROUP_LABELS[group.key]]
    ]
    if regimes:
        tables.insert(0, _group_table(regimes, "Regime at the close before", "By market regime"))
    return tuple(tables)


def _group_table(groups: Sequence[ContributionGroup], heading: str, title: str) -> PlainTable:
    total = groups[-1].total
    rows = [
        _part_row(part, f"{group.key}, {name}" if len(groups) > 1 else name)
        for group in groups
        for part in group.parts
        for name in [part.name or UNKNOWN_LABEL]
    ]
    rows.append(_part_row(total, "all"))
    columns = ("Bars", "Before costs", "Costs", "Interest", "After costs", "Buy and hold")
    left_out = set()
    if not total.interest_pct:
        left_out.add("Interest")
    if total.benchmark_pct is None:
        left_out.add("Buy and hold")
    kept = [0, *(place for place, name in enumerate(columns, 1) if name not in left_out)]
    return PlainTable(
        tuple((heading, *columns)[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in rows),
        title=title,
    )


def _part_row(part: ContributionFigures, name: str) -> tuple[str, ...]:
    return (
        name,
        formatting.PERCENT(part.bar_share_pct),
        LOG_RETURN_FORMAT(part.gross_pct),
        LOG_RETURN_FORMAT(part.cost_pct),
        LOG_RETURN_FORMAT(part.interest_pct),
        LOG_RETURN_FORMAT(part.net_pct),
        LOG_RETURN_FORMAT(part.benchmark_pct),
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
