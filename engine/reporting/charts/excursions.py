"""How far round trips went against the position and for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes, dot_layer
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd

WINNER_STYLE = LayerStyle("won", "Made money", "up-side")
LOSER_STYLE = LayerStyle("lost", "Lost money", "down-side cornered")
OPEN_STYLE = LayerStyle("open", "Still open", "plain-side")

MAX_LARGE_MARKERS = 100
"""Trips up to which their marks are large."""


def excursions_plot(trips: pd.DataFrame, *, span: str, notes: Sequence[str] = ()) -> XYPlot:
    """Each trip's best mark over its worst, winners round and losers cornered.

    Args:
        trips: As `round_trips` makes them, at least one.
        span: Over which bars.
        notes: What else the reader must know.
    """
    lowest, highest = -_axis_end(-trips["mae_pct"]), _axis_end(trips["mfe_pct"])
    frame = XYAxes(
        LabelledAxis(
            "maximum adverse excursion, % of the average cost",
            linear_axis(lowest, 0.0),
            formatting.PERCENT,
        ),
        LabelledAxis(
            "maximum favourable excursion, %",
            linear_axis(0.0, highest),
            formatting.SIGNED_PERCENT,
        ),
    )
    beyond = int(((trips["mae_pct"] < lowest) | (trips["mfe_pct"] > highest)).sum())
    won = ~trips["open"] & (trips["pnl_pct"] > 0)
    lost = ~trips["open"] & ~won
    size = " large" if len(trips) <= MAX_LARGE_MARKERS else ""
    kinds = (
        (LOSER_STYLE, trips[lost]),
        (WINNER_STYLE, trips[won]),
        (OPEN_STYLE, trips[trips["open"]]),
    )
    layers = tuple(
        dot_layer(
            frame,
            replace(style, css=style.css + size),
            some["mae_pct"].to_numpy(dtype=np.float64),
            some["mfe_pct"].to_numpy(dtype=np.float64),
            [_trip_label(trip) for trip in some.to_dict("records")],
        )
        for style, some in kinds
        if len(some)
    )
    return XYPlot(
        key="excursions",
        title="How far trips went against the position and for it",
        finding=_finding(trips[won], trips[lost]),
        description=(
            "A mark a round trip: how far its best price was ahead of the average cost, over how "
            "far its worst was behind it. Highs and lows count from the fill of the entry to that "
            "of the exit. Round marks made money after costs, square ones did not."
        ),
        span=span,
        axes=frame,
        layers=layers,
        shape="tall",
        notes=(*notes, *_off_axis_note(beyond)),
    )


def _axis_end(sizes: pd.Series[float]) -> float:
    """The largest, or where a few lie far out twice the size that 19 of 20 stay below."""
    most, usual = float(sizes.max()), float(sizes.quantile(0.95))
    return most if most <= 3.0 * usual or usual == 0.0 else 2.0 * usual


def _off_axis_note(count: int) -> tuple[str, ...]:
    if not count:
        return ()
    trips = formatting.count_of(count, "round trip")
    return (f"{trips} further out than the axes reach, drawn at their ends.",)


def _trip_label(trip: Mapping[Hashable, Any]) -> str:
    left = "still open" if trip["open"] else f"to {formatting.timestamp(trip['exit'])}"
    made = formatting.SIGNED_PERCENT(trip["return_pct"])
    return f"{trip['symbol']} {trip['side']}, {formatting.timestamp(trip['entry'])} {left}, {made}"


def _finding(won: pd.DataFrame, lost: pd.DataFrame) -> str:
    told = []
    if len(won):
        deep = formatting.PERCENT(-float(won["mae_pct"].median()))
        told.append(f"half of the winners had been under water by {deep} or more")
    if len(lost):
        high = formatting.PERCENT(float(lost["mfe_pct"].median()))
        told.append(f"half of the losers had been ahead by {high} or more")
    sentence = "; ".join(told) or "no trip is finished yet"
    return f"{sentence[0].upper()}{sentence[1:]}."
