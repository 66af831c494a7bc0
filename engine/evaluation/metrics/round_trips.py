"""What each round trip of a book made, and how far it went against and for it on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from engine.evaluation.metrics.fill_matching import PartialFill, RoundTrip, match_fills

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame, Matrix, Vector

ROUND_TRIP_COLUMNS = (
    *("symbol", "side", "entry", "exit", "entry_price", "exit_price", "bars"),
    *("return_pct", "pnl_pct", "cost_pct", "mae_pct", "mfe_pct", "open"),
)
_TIME_COLUMNS = ("entry", "exit")


@dataclass(frozen=True)
class RoundTripSummary:
    """The finished round trips in figures; None where one is not defined.

    Attributes:
        finished: How many.
        open: How many were under way at the last bar; they count for nothing else here.
        win_rate: Share that made money, as `trading.hit_rate`.
        payoff_ratio: Mean P&L of the winners over the mean loss of the others, each a part of the
            equity at its entry.
        profit_factor: The same sums instead of the means.
        mean_bars: Closes held, mean.
        losing_streak: The most in a row, by their ends, that made no money.
    """

    finished: int
    open: int
    win_rate: float | None
    payoff_ratio: float | None
    profit_factor: float | None
    mean_bars: float | None
    losing_streak: int


def round_trip_table(
    trades: pd.DataFrame,
    bars: BarsFrame,
    index: pd.DatetimeIndex,
    *,
    fill_price: Literal["open", "close"],
) -> pd.DataFrame:
    """A row a round trip, the finished ones in the order of their ends, then those still open.

    Prices of several fills are averaged by size, so that a trip has one entry and one exit price;
    a fill that turns a position over is split by size (see `trips`). A trip still open is marked
    at the last close, without the cost of getting out. Borrow cost is no part of it.

    The excursions compare every bar's high and low while the position was held with its average
    cost then, and the prices of the fills that took it down too. Filled at the open, the bar of
    the entry counts whole and that of the exit not at all; filled at the close, the other way
    round.

    Args:
        trades: A book's fills, as `Result` describes them.
        bars: Long bars of at least its symbols, with `high`, `low` and `close`.
        index: The out-of-sample bars, ascending; every fill is on one of them.
        fill_price: The price of a bar at which decisions are filled.

    Returns:
        `symbol`; `side` (`long`, `short`); `entry` and `exit`, the bars of the first and the last
        fill, NaT while open; `entry_price`, `exit_price`, slippage included; `bars`, the closes
        at which it was held; `return_pct`, its profit net of fees and slippage in per cent of the
        value entered; `pnl_pct`, the same in per cent of the equity before its first fill;
        `cost_pct`, fees and slippage in per cent of the value entered; `mae_pct`, at most 0, and
        `mfe_pct`, at least 0, the maximum adverse and favourable excursion in per cent of the
        average cost; `open`.

    Source: excursions after Sweeney (1997), Maximum Adverse Excursion.
    """
    rows = index.get_indexer(pd.DatetimeIndex(trades["timestamp"]))
    prices = {
        str(symbol): _SymbolPrices.from_bars(own.set_index("timestamp").reindex(index))
        for symbol, own in bars.groupby("symbol", sort=False)
        if symbol in set(trades["symbol"])
    }
    fees = (trades["fee"] + trades["slippage_cost"]).to_numpy(dtype=np.float64)
    equity = trades["equity"].to_numpy(dtype=np.float64)
    told = [
        _PricedRoundTrip(
            trip, rows[[part.fill_row for part in trip.fills]], prices[trip.symbol], fill_price
        )
        for trip in match_fills(trades)
    ]
    table = pd.DataFrame(
        [each.to_row(index, fees, equity) for each in told], columns=ROUND_TRIP_COLUMNS
    )
    moments = {name: pd.DatetimeIndex(table[name], dtype=index.dtype) for name in _TIME_COLUMNS}
    return table.assign(**moments).astype({"open": bool})


def summarise_round_trips(table: pd.DataFrame) -> RoundTripSummary:
    """Figures of all trips together.

    Args:
        table: As `round_trip_table` makes it.
    """
    finished = table[~table["open"]]
    profits = finished["pnl_pct"].to_numpy(dtype=np.float64)
    won, lost = profits[profits > 0], -profits[profits <= 0]
    made, given = float(won.sum()), float(lost.sum())
    both = len(won) > 0 and given > 0
    return RoundTripSummary(
        finished=len(finished),
        open=int(table["open"].sum()),
        win_rate=float((profits > 0).mean()) if len(profits) else None,
        payoff_ratio=(made / len(won)) / (given / len(lost)) if both else None,
        profit_factor=made / given if given > 0 else None,
        mean_bars=float(finished["bars"].mean()) if len(finished) else None,
        losing_streak=_longest_streak(profits <= 0),
    )


def _longest_streak(mask: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


@dataclass(frozen=True)
class _SymbolPrices:
    """Of one symbol: low and high of each bar, shape (n, 2), and the last close."""

    low_high: Matrix
    last_close: float

    @classmethod
    def from_bars(cls, bars: pd.DataFrame) -> _SymbolPrices:
        extremes = bars[["low", "high"]].to_numpy(dtype=np.float64)
        return cls(extremes, float(bars["close"].iloc[-1]))


@dataclass(frozen=True)
class _PricedRoundTrip:
    """A trip on its bars: `fill_rows` are those of its fills, `prices` those of all bars."""

    trip: RoundTrip
    fill_rows: npt.NDArray[np.int64]
    prices: _SymbolPrices
    fill_price: Literal["open", "close"]

    @property
    def direction(self) -> float:
        return float(np.sign(self.trip.fills[0].size))

    def to_row(self, index: pd.DatetimeIndex, fees: Vector, equity: Vector) -> dict[str, Any]:
        trip, first = self.trip, self.trip.fills[0]
        mark = self.prices.last_close
        entering = [part for part in trip.fills if part.size * self.direction > 0]
        leaving = [part for part in trip.fills if part.size * self.direction < 0]
        if trip.open:
            leaving.append(PartialFill(-1, 1.0, -trip.units, mark))
        value = sum(abs(part.size) * part.price for part in entering)
        profit = trip.cash_flow + (trip.units * mark if trip.open else 0.0)
        cost = sum(float(fees[part.fill_row]) * part.fill_share for part in trip.fills)
        adverse, favourable = self.excursions()
        end = len(index) if trip.open else int(self.fill_rows[-1])
        return {
            "symbol": trip.symbol,
            "side": "long" if self.direction > 0 else "short",
            "entry": index[self.fill_rows[0]],
            "exit": pd.NaT if trip.open else index[self.fill_rows[-1]],
            "entry_price": _average_price(entering),
            "exit_price": _average_price(leaving),
            "bars": end - int(self.fill_rows[0]),
            "return_pct": 100.0 * profit / value,
            "pnl_pct": 100.0 * profit / float(equity[first.fill_row]),
            "cost_pct": 100.0 * cost / value,
            "mae_pct": 100.0 * adverse,
            "mfe_pct": 100.0 * favourable,
            "open": trip.open,
        }

    def excursions(self) -> tuple[float, float]:
        """The worst and the best of the marks, as fractions of the average cost at each."""
        costs, realised = self.average_costs()
        later = 1 if self.fill_price == "close" else 0
        last = len(self.prices.low_high) if self.trip.open else int(self.fill_rows[-1]) + later
        bars = np.arange(int(self.fill_rows[0]) + later, last)
        known = np.searchsorted(self.fill_rows, bars, side="left" if later else "right") - 1
        moves = self.direction * (self.prices.low_high[bars] / costs[known][:, None] - 1.0)
        marks = np.concatenate(([0.0], moves.ravel(), realised))
        return float(marks.min()), float(marks.max())

    def average_costs(self) -> tuple[Vector, list[float]]:
        """The average cost after each fill, and what fills that took the position down made."""
        units = cost = 0.0
        costs, realised = [], []
        for part in self.trip.fills:
            if part.size * self.direction > 0:
                cost = (cost * units + part.price * abs(part.size)) / (units + abs(part.size))
            else:
                realised.append(self.direction * (part.price / cost - 1.0))
            units += part.size * self.direction
            costs.append(cost)
        return np.array(costs), realised


def _average_price(fills: list[PartialFill]) -> float:
    return float(np.average([part.price for part in fills], weights=[abs(p.size) for p in fills]))
