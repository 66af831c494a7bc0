"""Where the strategy's growth came from: sides, costs, and states of the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.attribution import Contributions, contributions
from engine.reporting import formatting
from engine.reporting.books import STRATEGY
from engine.reporting.charts.attribution import sources_plot
from engine.reporting.charts.drawing import span_of
from engine.reporting.significance.section import Table
from engine.reporting.tearsheet.against_holding import against_holding
from engine.reporting.tearsheet.attribution_groups import group_plot, group_tables, groups_of
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.artifacts import Run
    from engine.reporting.charts.plot import Plot
    from engine.types import WideFrame

UNIT = formatting.SIGNED_PERCENT

DUST = 1e-6
"""Log return up to which what the fills do not account for is rounding."""

PARTS = (
    ("long", "Long positions"),
    ("short", "Short positions"),
    ("fee", "Fees"),
    ("slippage", "Slippage"),
    ("borrow", "Borrowing"),
)


def attribution(run: Run) -> Section:
    """Sides, costs, symbols, states of the market and years, adding up; beta and alpha."""
    close = _closes(run)
    mine = run.trades[run.trades["book"] == STRATEGY]
    rate = run.manifest["strategy"].get("costs", {}).get("borrow_bps_per_year") or 0.0
    made = contributions(run.returns[STRATEGY], mine, close, borrowed=rate > 0)
    beside = against_holding(run)
    if made is None:
        sentences = [
            "The strategy lost all of its equity: there is no growth to split into parts."
        ]
        return _section([*sentences, *beside.sentences], (), beside.tables)
    span = span_of(pd.DatetimeIndex(run.returns.index))
    groups = groups_of(run, made)
    return _section(
        [_exposed(made), *beside.sentences, *_unexplained(made)],
        (_sources(made, span), *(group_plot(group, span) for group in groups)),
        (_time_table(made), *beside.tables, *group_tables(groups)),
    )


def _section(
    sentences: Sequence[str], plots: tuple[Plot, ...], tables: tuple[Table, ...]
) -> Section:
    return Section(
        "attribution",
        "Attribution",
        {"sentences": sentences, "plots": plots, "tables": tables},
    )


def _closes(run: Run) -> WideFrame:
    """Closes of the traded symbols on the out-of-sample bars."""
    wide = run.bars.pivot_table(index="timestamp", columns="symbol", values="close")
    return wide[list(run.manifest["target"])].reindex(run.returns.index)


def _exposed(made: Contributions) -> str:
    long, short, flat = _time_in_market(made)
    if flat == 1:
        return "Nothing was held: there is nothing to attribute."
    sides = [
        f"{side} at {formatting.PERCENT(100 * share)}"
        for side, share in (("long", long), ("short", short), ("flat", flat))
        if share
    ]
    gross, cost = (float(each.to_numpy().sum()) for each in (made.gross, made.cost))
    return (
        f"{', '.join(sides).capitalize()} of the closes. Positions made {UNIT(100 * gross)} of "
        f"log return before costs, costs took {formatting.PERCENT(-100 * cost)}, "
        f"{UNIT(100 * (gross + cost))} were left."
    )


def _time_in_market(made: Contributions) -> tuple[float, float, float]:
    held = made.held
    return (
        float((held > 0).any(axis=1).mean()),
        float((held < 0).any(axis=1).mean()),
        float((held == 0).all(axis=1).mean()),
    )


def _unexplained(made: Contributions) -> list[str]:
    rest = float(made.unexplained.sum())
    if float(made.unexplained.abs().sum()) < DUST:
        return []
    return [
        f"The fills of this run do not account for {UNIT(100 * rest)} of log return; the parts "
        "below add up to the whole without it."
    ]


def _sources(made: Contributions, span: str) -> Plot:
    sums = {label: float(getattr(made, name).to_numpy().sum()) for name, label in PARTS}
    kept = {label: value for label, value in sums.items() if value != 0} or {"Long positions": 0.0}
    gross, cost = (float(each.to_numpy().sum()) for each in (made.gross, made.cost))
    return sources_plot(
        {**kept, "Net": gross + cost},
        finding=_earned(sums, gross, cost),
        says="Log returns, because these add up over bars, sides and costs to the log of the "
        f"growth: {UNIT(100 * (gross + cost))} of log return is growth by a factor of "
        f"{formatting.RATIO(float(np.exp(gross + cost)))}.",
        span=span,
    )


def _earned(sums: Mapping[str, float], gross: float, cost: float) -> str:
    if gross <= 0:
        return "The positions lost money before any cost." if gross < 0 else "Nothing was earned."
    if cost < -gross:
        return "The positions made money, and costs took more than all of it."
    share = formatting.level(round(-cost / gross, 2))
    told = f"Costs took {share} of what the positions earned"
    if not sums["Short positions"]:
        return f"{told}."
    better = "long" if sums["Long positions"] >= sums["Short positions"] else "short"
    return f"{told}; the {better} side earned more."


def _time_table(made: Contributions) -> Table:
    long, short, flat = (formatting.PERCENT(100 * share) for share in _time_in_market(made))
    held = made.held.abs().sum(axis=1)
    invested = float(held[held > 0].mean()) if (held > 0).any() else None
    return Table(
        ("Closes", "Share"),
        (
            ("with a long position", long),
            ("with a short position", short),
            ("without a position", flat),
            (
                "of the equity, on average while in the market",
                formatting.PERCENT(None if invested is None else 100 * invested),
            ),
        ),
        title="Time in the market",
    )
