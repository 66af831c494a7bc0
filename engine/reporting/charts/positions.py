"""The strategy's position in one symbol, over that symbol's price."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import drawing
from engine.reporting.charts.axis import linear_axis, log_axis, time_axis


def positions_chart(
    key: str, symbol: str, close: pd.Series[float], weights: pd.Series[float]
) -> drawing.Chart:
    """Closes on a log axis with bands where the strategy wants to be in; target weights below.

    Args:
        key: Id of the chart.
        symbol: Its name.
        close: Index timestamp, shape (n,): closes of the out-of-sample bars, positive.
        weights: Index timestamp, shape (n,): weight decided at each close; NaN before the first.
    """
    whole = pd.DataFrame({"close": close, "weight": weights.ffill().fillna(0.0)})
    table = drawing.drawn_rows(whole)
    index = pd.DatetimeIndex(table.index)
    price = table["close"].to_numpy(dtype=np.float64)
    weight = table["weight"].to_numpy(dtype=np.float64)
    time = time_axis(index[0], index[-1])
    across = time.place(index)
    return drawing.Chart(
        key=key,
        title=f"Positions in {symbol}",
        says=(
            "Close on a log axis; shaded while the strategy wants to be long or short. Below, the "
            "target weight decided at each close, 1 being all of the equity."
        ),
        span=drawing.span_of(pd.DatetimeIndex(whole.index)),
        ticks=time.ticks,
        seconds=drawing.seconds_of(index),
        panels=(_price_panel(across, price, weight), _weight_panel(across, weight)),
        notes=drawing.thinning_note(len(whole), len(table)),
    )


def _price_panel(across: np.ndarray, price: np.ndarray, weight: np.ndarray) -> drawing.Panel:
    axis = log_axis(float(np.nanmin(price)), float(np.nanmax(price)))
    path = drawing.line_path(across, axis.place(price))
    return drawing.Panel(
        label="close",
        height="medium",
        ticks=axis.ticks,
        unit=formatting.PRICE,
        lines=(drawing.Line("close", "Close", "price", path, drawing.figures(price)),),
        areas=(
            drawing.Area("long", drawing.span_path(across, weight > 0), "weight", "above"),
            drawing.Area("short", drawing.span_path(across, weight < 0), "weight", "below"),
        ),
        scale=drawing.Scale(log=True, always=()),
    )


def _weight_panel(across: np.ndarray, weight: np.ndarray) -> drawing.Panel:
    axis = linear_axis(min(0.0, float(weight.min())), max(1.0, float(weight.max())), ticks=4)
    floor = float(axis.place(np.zeros(1))[0])
    steps = drawing.step_path(across, axis.place(weight), floor)
    return drawing.Panel(
        label="target weight",
        height="short",
        ticks=axis.ticks,
        unit=formatting.WEIGHT,
        lines=(drawing.Line("weight", "Target weight", "weight", "", drawing.figures(weight)),),
        areas=(drawing.Area("weight", steps, "weight", "steps"),),
        baseline=drawing.from_top(axis, 0.0),
        scale=drawing.Scale(ticks=4, always=(0.0, 1.0)),
    )
