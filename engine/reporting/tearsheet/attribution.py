"""Where the strategy's growth came from: sides, costs, and states of the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.metrics.attribution import ReturnContributions, attribute_returns
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.charts.attribution import return_sources_plot
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.significance.section import PlainTable
from engine.reporting.tearsheet.attribution_groups import (
    attribution_group_plot,
    attribution_group_tables,
    make_attribution_groups,
)
from engine.reporting.tearsheet.benchmark_regression import describe_benchmark_regression
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import WideFrame
    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.run import Run

LOG_RETURN_FORMAT = formatting.SIGNED_PERCENT

ROUNDING_TOLERANCE = 1e-6
"""Log return up to which what the fills do not account for is rounding."""

RUINED_MESSAGE = "The strategy lost all of its equity: there is no growth to split into parts."
UNRECONCILED_MESSAGE = (
    "The fills of this run do not make its returns: there is nothing to split into parts."
)

CONTRIBUTION_LABELS = (
    ("long", "Long"),
    ("short", "Short"),
    ("fee", "Fees"),
    ("slippage", "Slippage"),
    ("borrow", "Borrowing"),
)


def attribution_section(run: Run) -> TearsheetSection:
    """Sides, costs, symbols, states of the market and years, adding up; beta and alpha."""
    close = _closes(run)
    mine = run.trades[run.trades["book"] == STRATEGY]
    rate = run.manifest["strategy"].get("costs", {}).get("borrow_bps_per_year") or 0.0
    made = attribute_returns(run.returns[STRATEGY], mine, close, borrow_charged=rate > 0)
    beside = describe_benchmark_regression(run)
    if made is None:
        ruined = bool((run.returns[STRATEGY] <= -1.0).any())
        return _make_section(
            [RUINED_MESSAGE if ruined else UNRECONCILED_MESSAGE, *beside.sentences],
            (),
            beside.tables,
        )
    span = describe_span(pd.DatetimeIndex(run.returns.index))
    groups = make_attribution_groups(run, made)
    return _make_section(
        [_exposure_sentence(made), *beside.sentences, *_unexplained_sentences(made)],
        (
            _return_sources_plot(made, span),
            *(attribution_group_plot(group, span) for group in groups),
        ),
        (_time_in_market_table(made), *beside.tables, *attribution_group_tables(groups)),
    )


def _make_section(
    sentences: Sequence[str], plots: tuple[XYPlot, ...], tables: tuple[PlainTable, ...]
) -> TearsheetSection:
    return TearsheetSection(
        "attribution",
        "Attribution",
        {"sentences": sentences, "plots": plots, "tables": tables},
    )


def _closes(run: Run) -> WideFrame:
    """Closes of the traded symbols on the out-of-sample bars."""
    wide = run.bars.pivot_table(index="timestamp", columns="symbol", values="close")
    return wide[list(run.manifest["target"])].reindex(run.returns.index)


def _exposure_sentence(attributed: ReturnContributions) -> str:
    long, short, flat = _time_in_market(attributed)
    if flat == 1:
        return "Nothing was held: there is nothing to attribute."
    sides = [
        f"{side} at {formatting.PERCENT(100 * share)}"
        for side, share in (("long", long), ("short", short), ("flat", flat))
        if share
    ]
    gross, cost = (float(each.to_numpy().sum()) for each in (attributed.gross, attributed.cost))
    return (
        f"{', '.join(sides).capitalize()} of the closes. Positions made "
        f"{LOG_RETURN_FORMAT(100 * gross)} of "
        f"log return before costs, costs took {formatting.PERCENT(-100 * cost)}, "
        f"{LOG_RETURN_FORMAT(100 * (gross + cost))} were left."
    )


def _time_in_market(attributed: ReturnContributions) -> tuple[float, float, float]:
    held = attributed.held_weights
    return (
        float((held > 0).any(axis=1).mean()),
        float((held < 0).any(axis=1).mean()),
        float((held == 0).all(axis=1).mean()),
    )


def _unexplained_sentences(attributed: ReturnContributions) -> list[str]:
    rest = float(attributed.residual.sum())
    if float(attributed.residual.abs().sum()) < ROUNDING_TOLERANCE:
        return []
    return [
        f"The fills of this run do not account for {LOG_RETURN_FORMAT(100 * rest)} of log "
        f"return; the parts "
        "below add up to the whole without it."
    ]


def _return_sources_plot(attributed: ReturnContributions, span: str) -> XYPlot:
    sums = {
        label: float(getattr(attributed, name).to_numpy().sum())
        for name, label in CONTRIBUTION_LABELS
    }
    kept = {label: value for label, value in sums.items() if value != 0} or {"Long": 0.0}
    gross, cost = (float(each.to_numpy().sum()) for each in (attributed.gross, attributed.cost))
    return return_sources_plot(
        {**kept, "Net": gross + cost},
        finding=_return_sources_finding(sums, gross, cost),
        description="Log returns, because these add up over bars, sides and costs to the log of "
        "the "
        f"growth: {LOG_RETURN_FORMAT(100 * (gross + cost))} of log return is growth by a factor "
        f"of "
        f"{formatting.RATIO(float(np.exp(gross + cost)))}.",
        span=span,
    )


def _return_sources_finding(sums: Mapping[str, float], gross: float, cost: float) -> str:
    if gross <= 0:
        return "The positions lost money before any cost." if gross < 0 else "Nothing was earned."
    if cost < -gross:
        return "The positions made money, and costs took more than all of it."
    share = formatting.confidence_level(round(-cost / gross, 2))
    told = f"Costs took {share} of what the positions earned"
    if not sums["Short"]:
        return f"{told}."
    better = "long" if sums["Long"] >= sums["Short"] else "short"
    return f"{told}; the {better} side earned more."


def _time_in_market_table(attributed: ReturnContributions) -> PlainTable:
    long, short, flat = (formatting.PERCENT(100 * share) for share in _time_in_market(attributed))
    held = attributed.held_weights.abs().sum(axis=1)
    invested = float(held[held > 0].mean()) if (held > 0).any() else None
    return PlainTable(
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
