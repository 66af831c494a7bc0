"""Figures of the forecasts that were traded: size, order and direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.evaluation.calibration import Group, calibration
from engine.evaluation.direction import Direction, direction
from engine.evaluation.forecast import mean_forecasts
from engine.evaluation.rank_ic import RankIc, rank_ic
from engine.evaluation.regimes import REGIMES
from engine.evaluation.regression import Line, hac_line
from engine.reporting import formatting
from engine.reporting.charts import forecasts as charts
from engine.reporting.market_states import SAYS, market_states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.artifacts import Run
    from engine.reporting.charts.plot import Plot

BPS = 10_000.0
DEFAULT_CONFIDENCE = 0.95
Z = 1.96
"""|t| from which an estimate is told from 0 at about 95 %."""

RANKED_OVER_ALL = (
    "Ranks are those of the whole span. Ranked within each period, a forecast that prices return "
    "to their mean seems to have skill even on a random walk."
)

COUNTED = (
    "Beyond chance: where forecasts said down, and so differed from always up, they were right "
    "more than half the time, at a level corrected for the number of states."
)

CONSTANT = "All forecasts are the same: their size and order tell nothing."


def quality_plots(run: Run) -> tuple[Plot, ...]:
    """Scatter, calibration, rank correlation and direction; nothing without a known outcome."""
    made = mean_forecasts(run.predictions, run.horizon)
    if made.empty:
        return ()
    confidence = run.significance.get("method", {}).get("confidence") or DEFAULT_CONFIDENCE
    stamps = pd.DatetimeIndex(made["timestamp"])
    span = (
        f"{formatting.span(stamps.min(), stamps.max())}, "
        f"{formatting.count_of(len(made), 'forecast')} of the return over "
        f"{formatting.count_of(run.horizon, 'bar')}"
    )
    plots = [_scatter(made, span), _calibration(made, confidence, run.horizon, span)]
    ranked = rank_ic(made)
    if ranked.values:
        plots.append(
            charts.rank_ic_plot(
                ranked, finding=_ranked(ranked), span=span, notes=_rank_notes(run.horizon)
            )
        )
    plots.append(_direction(run, made, confidence, span))
    return tuple(plots)


def _scatter(made: pd.DataFrame, span: str) -> Plot:
    line = hac_line(made["predicted"].to_numpy(), made["actual"].to_numpy())
    return charts.scatter(made, line, finding=_fitted(made, line), span=span)


def _fitted(made: pd.DataFrame, line: Line | None) -> str:
    if line is None:
        constant = made["predicted"].nunique() == 1
        return CONSTANT if constant else "Too few forecasts for a line through them."
    way = "higher" if line.slope >= 0 else "lower"
    told = (
        f"For each {formatting.BPS(1.0)} of forecast the outcome was "
        f"{formatting.FINE_BPS(abs(line.slope))} {way} "
        f"(t {formatting.SIGNED_RATIO(line.slope_t)}, HAC; "
        f"correlation {formatting.SIGNED_RATIO(line.correlation)})"
    )
    if line.slope_t is None or abs(line.slope_t) < Z:
        return f"{told}: no more than chance gives a forecast that knows nothing."
    if line.slope < 0:
        return f"{told}: the forecasts pointed the wrong way."
    return f"{told}; of a perfect forecast it is {formatting.BPS(1.0)}."


def _calibration(made: pd.DataFrame, confidence: float, horizon: int, span: str) -> Plot:
    groups = calibration(made, confidence)
    level = formatting.level(confidence)
    overlap = " and outcomes that overlap" if horizon > 1 else ""
    return charts.calibration_plot(
        groups,
        finding=_calibrated(groups),
        says=f"Forecasts in {formatting.count_of(len(groups), 'group')} by size, of "
        f"{_sizes(groups)} each: what the group forecast on average and what came. Lines are "
        f"{level} intervals from HAC errors, which allow for bars that hang together{overlap}.",
        span=span,
    )


def _sizes(groups: tuple[Group, ...]) -> str:
    low, high = min(group.rows for group in groups), max(group.rows for group in groups)
    least = formatting.COUNT(low)
    return least if low == high else f"{least} to {formatting.COUNT(high)}"


def _calibrated(groups: tuple[Group, ...]) -> str:
    if len(groups) == 1:
        lone = groups[0]
        return (
            f"Only one group can be told apart: its outcomes were "
            f"{formatting.SIGNED_BPS(BPS * lone.actual)} on average."
        )
    lowest, highest = groups[0], groups[-1]
    more = "more" if highest.actual > lowest.actual else "less"
    verdict = "as it should be" if more == "more" else "the opposite of what they said"
    told = (
        f"The highest group of forecasts was followed by {more} than the lowest, {verdict}: "
        f"{formatting.SIGNED_BPS(BPS * highest.actual)} against "
        f"{formatting.SIGNED_BPS(BPS * lowest.actual)} on average"
    )
    apart = _apart(lowest, highest)
    return f"{told}." if apart else f"{told}; their intervals overlap."


def _apart(one: Group, other: Group) -> bool:
    ends = (one.actual_low, one.actual_high, other.actual_low, other.actual_high)
    low, high, least, most = (end if end is not None else float("nan") for end in ends)
    return high < least or most < low


def _ranked(found: RankIc) -> str:
    periods = formatting.count_of(len(found.values), found.period)
    told = f"The rank correlation was {formatting.FINE_SIGNED_RATIO(found.whole)} over {periods}"
    if found.t is None:
        return f"{told}."
    share = formatting.level(round(found.positive or 0.0, 2))
    told += f" (t {formatting.SIGNED_RATIO(found.t)}), above 0 in {share} of them"
    if abs(found.t) < Z:
        return f"{told}: no more than chance gives."
    return f"{told}." if found.t > 0 else f"{told}: the order was the wrong way round."


def _rank_notes(horizon: int) -> tuple[str, ...]:
    if horizon == 1:
        return (RANKED_OVER_ALL,)
    return (
        RANKED_OVER_ALL,
        f"Outcomes over {formatting.BARS(horizon)} overlap within a period and reach into the "
        "next: the t-statistic takes periods for independent and is somewhat too large.",
    )


def _direction(run: Run, made: pd.DataFrame, confidence: float, span: str) -> Plot:
    found: dict[str, Direction] = {}
    for kind, names in REGIMES.items():
        states = market_states(run, kind).stack()
        label = states.reindex(pd.MultiIndex.from_frame(made[["timestamp", "symbol"]])).to_numpy()
        for name in names.values():
            there = direction(made[label == name], run.horizon, confidence)
            if there is not None:
                found[name] = there
    whole = direction(made, run.horizon, confidence)
    if whole is not None:
        found["all"] = whole
    level = formatting.level(confidence)
    notes = [COUNTED]
    if run.horizon > 1:
        notes.append(
            f"Intervals are those of one forecast in {formatting.COUNT(run.horizon)}, because "
            "outcomes overlap."
        )
    return charts.direction_plot(
        found,
        finding=directed(found, run.horizon, confidence),
        says=f"How often the direction was right, with Wilson's {level} interval, beside what "
        f"saying up each time would have scored in the same state. {SAYS}",
        span=span,
        notes=tuple(notes),
    )


def directed(found: Mapping[str, Direction], horizon: int, confidence: float) -> str:
    """Whether the direction was right more often than always up, and in which states.

    A state counts where calls of down, the only ones that differ from always up, were right more
    than half the time beyond chance, the level corrected for the number of states (Bonferroni).

    Args:
        found: State -> its figures, `all` among them.
        horizon: Bars ahead.
        confidence: Level of all states together.
    """
    states = {name: each for name, each in found.items() if name != "all"}
    strict = 1 - (1 - confidence) / max(1, len(states))
    better = [name for name, each in states.items() if each.better(horizon, strict)]
    whole = found["all"]
    told = (
        f"The direction was right {formatting.PERCENT(100 * whole.hits)} of the time, always up "
        f"{formatting.PERCENT(100 * whole.up)}"
    )
    if better:
        return f"{told}; it beat always up beyond chance in these states: {', '.join(better)}."
    return f"{told}; in no state did it beat always up beyond chance." if states else f"{told}."
