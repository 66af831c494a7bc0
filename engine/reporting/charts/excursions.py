"""Maximum adverse and favourable excursion of the round trips."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes, dot_layer
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import pandas as pd

WINNER_STYLE = LayerStyle("won", "Made money", "up-side")
LOSER_STYLE = LayerStyle("lost", "Lost money", "down-side cornered")
OPEN_STYLE = LayerStyle("open", "Still open", "plain-side")

MAX_LARGE_MARKERS = 100
"""Number of round trips up to which marks are large."""


class RoundTripRow(NamedTuple):
    """A row of the table of round trips; the columns are those of `Run.round_trips`."""

    symbol: str
    side: str
    entry: datetime
    exit: datetime
    open: bool
    entry_price: float
    exit_price: float
    bars: int
    return_pct: float
    pnl_pct: float
    cost_pct: float
    mae_pct: float
    mfe_pct: float


def round_trip_rows(trips: pd.DataFrame) -> Iterator[RoundTripRow]:
    """The rows of a table of round trips."""
    rows = trips[list(RoundTripRow._fields)].itertuples(index=False, name=None)
    return (RoundTripRow(*row) for row in rows)


def excursions_plot(
    trips: pd.DataFrame, *, finding: str, span: str, notes: Sequence[str] = ()
) -> XYPlot:
    """MFE of each round trip over its MAE, winners as circles and losers as squares.

    Args:
        trips: As `round_trip_table` gives them, at least one.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of bars.
        notes: Further notes below the plot.
    """
    lowest, highest = -_axis_end(-trips["mae_pct"]), _axis_end(trips["mfe_pct"])
    axes = XYAxes(
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
    off_axis = int(((trips["mae_pct"] < lowest) | (trips["mfe_pct"] > highest)).sum())
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
            axes,
            replace(style, css=style.css + size),
            some["mae_pct"].to_numpy(dtype=np.float64),
            some["mfe_pct"].to_numpy(dtype=np.float64),
            [_trip_label(trip) for trip in round_trip_rows(some)],
        )
        for style, some in kinds
        if len(some)
    )
    return XYPlot(
        key="excursions",
        title="Maximum adverse and favourable excursion",
        finding=finding,
        description=(
            "One mark for each round trip: the distance of its best price from the average cost, "
            "over that of its worst price. Highs and lows count from the fill of the entry to the "
            "fill of the exit. Circles made money after costs, squares did not."
        ),
        span=span,
        axes=axes,
        layers=layers,
        shape="tall",
        notes=(*notes, *_off_axis_note(off_axis)),
    )


def _axis_end(sizes: pd.Series[float]) -> float:
    """The largest size; with outliers, twice the 95th percentile."""
    largest, typical = float(sizes.max()), float(sizes.quantile(0.95))
    return largest if largest <= 3.0 * typical or typical == 0.0 else 2.0 * typical


def _off_axis_note(count: int) -> tuple[str, ...]:
    if not count:
        return ()
    trips = formatting.count_of(count, "round trip")
    return (f"{trips} beyond the axes, drawn at their ends.",)


def _trip_label(trip: RoundTripRow) -> str:
    exit_text = "still open" if trip.open else f"to {formatting.timestamp(trip.exit)}"
    entry_text = formatting.timestamp(trip.entry)
    net_return = formatting.SIGNED_PERCENT(trip.return_pct)
    return f"{trip.symbol} {trip.side}, {entry_text} {exit_text}, {net_return}"
