"""The strategy's growth by the state of the market, by year and by symbol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.metrics.attribution import (
    GroupContribution,
    ReturnContributions,
    sum_by_group,
)
from engine.evaluation.metrics.market_regimes import REGIME_NAMES
from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, book_style
from engine.reporting.charts.attribution import grouped_bar_plot
from engine.reporting.regimes import REGIME_DESCRIPTION, market_regimes
from engine.reporting.significance.section import PlainTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.core.types import WideFrame
    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.run import Run

LOG_RETURN_FORMAT = formatting.SIGNED_PERCENT
UNKNOWN_LABEL = "not known yet"
REGIME_COLUMN = "State at the close before"


@dataclass(frozen=True)
class GroupLabels:
    """Of a group: its key, its title, what its parts are, and how they were made."""

    key: str
    title: str
    axis_label: str
    description: str


@dataclass(frozen=True)
class AttributionGroup:
    """Bars parted in one way.

    Attributes:
        labels: What it is called.
        parts: Together the whole.
        benchmark_returns: Log return of buy and hold on the bars of each part; None without such a
            book, or where symbols are in different parts at the same time.
    """

    labels: GroupLabels
    parts: tuple[GroupContribution, ...]
    benchmark_returns: tuple[float, ...] | None


VOLATILITY_LABELS = GroupLabels(
    "volatility",
    "By volatility",
    "volatility at the close before",
    f"Log return after costs. {REGIME_DESCRIPTION}",
)
TREND_LABELS = GroupLabels(
    "trend", "By trend", "trend at the close before", "Log return after costs, states as before."
)
YEAR_LABELS = GroupLabels(
    "years",
    "By year",
    "Year",
    "Log return after costs. Years of UTC; the first and the last may be partial.",
)
SYMBOL_LABELS = GroupLabels(
    "symbols", "By symbol", "Symbol", "Log return after costs of each position."
)


def make_attribution_groups(
    run: Run, contributions: ReturnContributions
) -> list[AttributionGroup]:
    """By volatility, trend and year, and by symbol where there are several."""
    index = pd.DatetimeIndex(run.returns.index)
    symbols = list(contributions.held_weights.columns)

    groups = [
        _make_group(
            words,
            contributions,
            market_regimes(run, words.key, previous_close=True),
            _benchmark_log_returns(run) if len(symbols) == 1 else None,
            REGIME_NAMES[words.key].values(),
        )
        for words in (VOLATILITY_LABELS, TREND_LABELS)
    ]
    year = index.year.astype(str)
    years = pd.DataFrame(dict.fromkeys(symbols, year), index=index, dtype="object")
    groups.append(
        _make_group(
            YEAR_LABELS,
            contributions,
            years,
            _benchmark_log_returns(run),
            sorted(set(years.iloc[:, 0])),
        )
    )
    if len(symbols) > 1:
        names = pd.DataFrame({symbol: str(symbol) for symbol in symbols}, index=index)
        groups.append(
            _make_group(SYMBOL_LABELS, contributions, names, None, list(map(str, symbols)))
        )
    return groups


def _benchmark_log_returns(run: Run) -> pd.Series[float] | None:
    """Log returns of buy and hold; None without that book, or where it lost everything."""
    held = run.returns.get(BUY_AND_HOLD)
    return None if held is None or (held <= -1).any() else np.log1p(held)


def _make_group(
    group_labels: GroupLabels,
    contributions: ReturnContributions,
    labels: WideFrame,
    benchmark_returns: pd.Series[float] | None,
    order: Iterable[str],
) -> AttributionGroup:
    """Parts in the given order, the unlabelled last.

    `benchmark_returns` only where every symbol has the same label.
    """
    places = {name: place for place, name in enumerate(order)}
    found = sorted(
        sum_by_group(contributions, labels), key=lambda part: places.get(part.name, len(places))
    )
    if benchmark_returns is None:
        return AttributionGroup(group_labels, tuple(found), None)
    label = labels.iloc[:, 0].fillna("").to_numpy()
    sums = tuple(float(benchmark_returns[label == part.name].sum()) for part in found)
    return AttributionGroup(group_labels, tuple(found), sums)


def attribution_group_plot(group: AttributionGroup, span: str) -> XYPlot:
    """Log returns after costs, beside those of holding."""
    columns = [(book_style(STRATEGY), [part.net for part in group.parts])]
    if group.benchmark_returns is not None:
        columns.append((book_style(BUY_AND_HOLD), list(group.benchmark_returns)))
    return grouped_bar_plot(
        f"attribution-{group.labels.key}",
        (group.labels.title, group.labels.axis_label),
        columns,
        [part.name or UNKNOWN_LABEL for part in group.parts],
        finding=_best_and_worst_finding(group),
        description=group.labels.description,
        span=span,
    )


def _best_and_worst_finding(group: AttributionGroup) -> str:
    ranked = sorted(group.parts, key=lambda part: part.net)
    worst, best = ranked[0], ranked[-1]
    if best.net == worst.net == 0:
        return "Nothing was earned or lost in any of them."
    told = f"All of it, {_part_text(best)}"
    if len(ranked) > 1:
        told = f"Best {_part_text(best)}; worst {_part_text(worst)}"
    if group.benchmark_returns is None:
        return f"{told}."
    ahead = sum(
        part.net > held for part, held in zip(group.parts, group.benchmark_returns, strict=True)
    )
    return (
        f"{told}; ahead of holding in {formatting.COUNT(ahead)} of "
        f"{formatting.COUNT(len(group.parts))}."
    )


def _part_text(part: GroupContribution) -> str:
    return f"{part.name or UNKNOWN_LABEL}, {LOG_RETURN_FORMAT(100 * part.net)}"


def attribution_group_tables(groups: Sequence[AttributionGroup]) -> tuple[PlainTable, ...]:
    """Share of the bars, gross, costs and net of each part, and the whole."""
    states = [group for group in groups if group.labels in (VOLATILITY_LABELS, TREND_LABELS)]
    others = [[group] for group in groups if group not in states]
    return tuple(_group_table(together) for together in (states, *others))


def _group_table(groups: Sequence[AttributionGroup]) -> PlainTable:
    words = groups[0].labels
    head, title = (
        (REGIME_COLUMN, "By state of the market")
        if len(groups) > 1
        else (words.axis_label, words.title)
    )
    rows = [
        _part_row(_row_name(group, part, several=len(groups) > 1), part, held)
        for group in groups
        for part, held in zip(
            group.parts, group.benchmark_returns or (None,) * len(group.parts), strict=True
        )
    ]
    last = groups[-1]
    whole = GroupContribution(
        "",
        sum(part.bar_share for part in last.parts),
        sum(part.gross for part in last.parts),
        sum(part.cost for part in last.parts),
    )
    rows.append(
        _part_row(
            "all", whole, None if last.benchmark_returns is None else sum(last.benchmark_returns)
        )
    )
    heads = (head, "Bars", "Before costs", "Costs", "After costs")
    if last.benchmark_returns is None:
        return PlainTable(heads, tuple(row[:-1] for row in rows), title=title)
    return PlainTable((*heads, "Buy and hold"), tuple(rows), title=title)


def _row_name(group: AttributionGroup, part: GroupContribution, *, several: bool) -> str:
    name = part.name or UNKNOWN_LABEL
    return f"{group.labels.key}, {name}" if several else name


def _part_row(
    name: str, part: GroupContribution, benchmark_return: float | None
) -> tuple[str, ...]:
    return (
        name,
        formatting.PERCENT(100 * part.bar_share),
        LOG_RETURN_FORMAT(100 * part.gross),
        LOG_RETURN_FORMAT(100 * part.cost),
        LOG_RETURN_FORMAT(100 * part.net),
        LOG_RETURN_FORMAT(None if benchmark_return is None else 100 * benchmark_return),
    )
