"""Books of one or a few symbols on daily bars, simulated and stepped."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.simulation import Costs, Execution
from tests.simulation.folded_books import Case

FREE = Costs(fee_bps=0, slippage_bps=0)


def daily(*columns: list[float], symbols: str = "ABC") -> pd.DataFrame:
    """Bars from Friday, 1 March 2024 on, a day each, weekends too."""
    index = pd.date_range("2024-03-01", periods=len(columns[0]), tz="UTC", name="timestamp")
    frame = pd.DataFrame(dict(zip(symbols, columns, strict=False)), index=index.as_unit("us"))
    return frame.astype("float64")


def book(
    weights: list[float],
    opens: list[float],
    closes: list[float] | None = None,
    *,
    costs: Costs = FREE,
    execution: Execution = Execution(),
    traded: str | None = None,
    cash_rates: float | list[float] = 0.0,
) -> Case:
    """One symbol; `traded` has an `x` for each bar at which something trades."""
    frame = daily(opens)
    varies = isinstance(cash_rates, list)
    return Case(
        weights=daily(weights),
        opens=frame,
        closes=daily(closes or opens),
        costs=costs,
        execution=execution,
        traded=None
        if traded is None
        else daily([float(letter == "x") for letter in traded]).astype(bool),
        cash_rates=pd.Series(cash_rates, index=frame.index) if varies else cash_rates,
    )


def churning_book(
    bars: int, *, cost_bps: float, price: float = 100.0, interval: str = "min"
) -> Case:
    """In and out at every bar of a random walk, so that costs alone end it."""
    walk = np.exp(4e-4 * np.random.default_rng(1).standard_normal(bars).cumsum())
    index = pd.date_range("2020-01-01", periods=bars, freq=interval, tz="UTC", name="timestamp")
    prices = pd.DataFrame({"A": price * walk}, index=index.as_unit("us"))
    weights = pd.DataFrame({"A": np.arange(bars) % 2.0}, index=prices.index)
    costs = Costs(fee_bps=cost_bps, slippage_bps=0)
    return Case(weights, prices, prices, costs, Execution())
