"""Profit, cost and maximum adverse and favourable excursion of each round trip of a book."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.evaluation.metrics.fill_matching import PartialFill, RoundTrip, match_fills

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame, Vector

ROUND_TRIP_COLUMNS = (
    *("symbol", "side", "entry", "exit", "entry_price", "exit_price", "bars"),
    *("return_pct", "pnl_pct", "cost_pct", "mae_pct", "mfe_pct", "open"),
)
_TIME_COLUMNS = ("entry", "exit")


@dataclass(frozen=True)
class RoundTripSummary:
    """Statistics of the finished round trips; None where one is not defined.

    Attributes:
        finished: Number of finished round trips.
        open: Number still open at the last bar; excluded from the other statistics.
        win_rate: Share with a profit, as `trade_metrics.hit_rate`.
        payoff_ratio: Mean profit of the winners over the mean loss of the others, each relative to
            the equity at its entry.
        profit_factor: Total profit of the winners over the total loss of the others.
        mean_bars: Mean number of closes held.
        losing_streak: Longest run, in the order of their ends, without a profit.
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
    """A row a round trip, the finished ones in the order of their ends, then the open ones.

    Prices of several fills are averaged by size, so that a round trip has one entry price and one
    exit price; a fill that reverses a position is split by size (see `match_fills`). An open round
    trip is marked at the last close, without the cost of closing it. Borrow cost is not included.

    The excursions compare the high and the low of every bar while the position was held, and the
    prices of the fills that reduced it, with the average cost at that time. With fills at the open
    the whole bar of the entry counts and the bar of the exit does not; with fills at the close it
    is the reverse. Of a symbol with closes alone, the close of a bar is its high and its low.
    Where a symbol has no bar, its last close is all of them.

    Args:
        trades: Fills of a book, as `SimulationResult` describes them.
        bars: Long bars of at least its symbols, with `high`, `low` and `close`; high and low NaN
            in every row of a symbol with closes alone.
        index: The out-of-sample bars, ascending; every fill is on one of them.
        fill_price: Price of a bar at which orders are filled.

    Returns:
        `symbol`; `side` (`long`, `short`); `entry` and `exit`, the bars of the first and of the
        last fill, `exit` NaT while open; `entry_price`, `exit_price`, slippage included; `bars`,
        the closes at which it was held; `return_pct`, profit net of fees and slippage in per cent
        of the value entered; `pnl_pct`, the same in per cent of the equity before its first fill;
        `cost_pct`, fees and slippage in per cent of the value entered; `mae_pct`, at most 0, and
        `mfe_pct`, at least 0, the maximum adverse and favourable excursion in per cent of the
        average cost; `open`.

    Source: Sweeney (1997), Maximum Adverse Excursion.
    """
    rows = index.get_indexer(pd.DatetimeIndex(trades["timestamp"])).tolist()
    prices = _prices_of_symbols(bars, index, set(trades["symbol"]))
    fees = (trades["fee"] + trades["slippage_cost"]).to_numpy(dtype=np.float64).tolist()
    equity = trades["equity"].to_numpy(dtype=np.float64).tolist()
    round_trips = [
        _PricedRoundTrip(
            trip, [rows[part.fill_row] for part in trip.fills], prices[trip.symbol], fill_price
        )
        for trip in match_fills(trades)
    ]
    table = pd.DataFrame(
        [each.to_row(fees, equity) for each in round_trips], columns=ROUND_TRIP_COLUMNS
    )
    # Row -1, the last, is the exit of a round trip that is still open.
    stamps = index.append(pd.DatetimeIndex([pd.NaT], dtype=index.dtype))
    times = {name: stamps.take(table[name].to_numpy(dtype=np.int64)) for name in _TIME_COLUMNS}
    return table.assign(**times).astype({"open": bool})


def summarise_round_trips(table: pd.DataFrame) -> RoundTripSummary:
    """Statistics over all finished round trips.

    Args:
        table: As `round_trip_table` returns it.
    """
    finished = table[~table["open"]]
    profits = finished["pnl_pct"].to_numpy(dtype=np.float64)
    wins, losses = profits[profits > 0], -profits[profits <= 0]
    gained, lost = float(wins.sum()), float(losses.sum())
    defined = len(wins) > 0 and lost > 0
    return RoundTripSummary(
        finished=len(finished),
        open=int(table["open"].sum()),
        win_rate=float((profits > 0).mean()) if len(profits) else None,
        payoff_ratio=(gained / len(wins)) / (lost / len(losses)) if defined else None,
        profit_factor=gained / lost if lost > 0 else None,
        mean_bars=float(finished["bars"].mean()) if len(finished) else None,
        losing_streak=_longest_streak(profits <= 0),
    )


def _longest_streak(mask: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


@dataclass(frozen=True)
class _SymbolPrices:
    """Prices of one symbol: lowest and highest of each bar, shapes (n,), and the last close.

    Of a symbol with closes alone, the close is both. A bar that it lacks has the close before it,
    at which it is marked.
    """

    low: Vector
    high: Vector
    last_close: float

    @classmethod
    def from_columns(cls, low: Vector, high: Vector, close: Vector) -> _SymbolPrices:
        """From the bars of all times, NaN where there is none."""
        has_bar = ~np.isnan(close)
        newest = np.maximum.accumulate(np.where(has_bar, np.arange(len(close)), 0))
        marks = close[newest]
        if np.isnan(high).all():
            low, high = close, close
        return cls(np.where(has_bar, low, marks), np.where(has_bar, high, marks), float(marks[-1]))


def _prices_of_symbols(
    bars: BarsFrame, index: pd.DatetimeIndex, symbols: set[str]
) -> dict[str, _SymbolPrices]:
    """The prices of some symbols at each of the out-of-sample bars."""
    place = index.get_indexer(pd.DatetimeIndex(bars["timestamp"]))
    columns = [bars[name].to_numpy(dtype=np.float64) for name in ("low", "high", "close")]
    prices = {}
    for symbol, own in bars.groupby("symbol", sort=False).indices.items():
        if symbol not in symbols:
            continue
        rows = own[place[own] >= 0]
        wide = np.full((3, len(index)), np.nan)
        for values, column in zip(wide, columns, strict=True):
            values[place[rows]] = column[rows]
        prices[str(symbol)] = _SymbolPrices.from_columns(*wide)
    return prices


@dataclass(frozen=True)
class _PricedRoundTrip:
    """A round trip with the rows of its fills and the prices of all bars of its symbol."""

    trip: RoundTrip
    fill_rows: list[int]
    prices: _SymbolPrices
    fill_price: Literal["open", "close"]

    @cached_property
    def direction(self) -> float:
        return 1.0 if self.trip.fills[0].size > 0 else -1.0

    def to_row(self, fees: list[float], equity: list[float]) -> tuple[object, ...]:
        """The columns of the table, with the rows of both times; -1 is no exit yet."""
        trip, first, direction = self.trip, self.trip.fills[0], self.direction
        mark = self.prices.last_close
        entering = [part for part in trip.fills if part.size * direction > 0]
        leaving = [part for part in trip.fills if part.size * direction < 0]
        if trip.open:
            leaving.append(PartialFill(-1, 1.0, -trip.units, mark))
        value = sum(abs(part.size) * part.price for part in entering)
        profit = trip.cash_flow + (trip.units * mark if trip.open else 0.0)
        cost = sum(fees[part.fill_row] * part.fill_share for part in trip.fills)
        adverse, favourable = self.excursions()
        end = len(self.prices.low) if trip.open else self.fill_rows[-1]
        return (
            trip.symbol,
            "long" if direction > 0 else "short",
            self.fill_rows[0],
            -1 if trip.open else self.fill_rows[-1],
            _average_price(entering),
            _average_price(leaving),
            end - self.fill_rows[0],
            100.0 * profit / value,
            100.0 * profit / equity[first.fill_row],
            100.0 * cost / value,
            100.0 * adverse,
            100.0 * favourable,
            trip.open,
        )

    def excursions(self) -> tuple[float, float]:
        """Lowest and highest return since entry, as fractions of the average cost at that time."""
        costs, marks = self.average_costs()
        delay = 1 if self.fill_price == "close" else 0
        last = len(self.prices.low) if self.trip.open else self.fill_rows[-1] + delay
        # The average cost of a fill holds until the next one, so that only the lowest and the
        # highest price of those bars count.
        begins = [row + delay for row in self.fill_rows]
        for begin, end, cost in zip(begins, [*begins[1:], last], costs, strict=True):
            held = slice(max(begin, 0), max(end, 0))  # fills of bars that are not there are at -1
            low, high = self.prices.low[held], self.prices.high[held]
            if len(low):
                for price in (low.min(), low.max(), high.min(), high.max()):
                    marks.append(self.direction * (float(price) / cost - 1.0))
        moves = np.array([0.0, *marks])
        return float(moves.min()), float(moves.max())

    def average_costs(self) -> tuple[list[float], list[float]]:
        """Average cost after each fill, and the return of each fill that reduced the position."""
        units = cost = 0.0
        costs, realised = [], []
        for part in self.trip.fills:
            if part.size * self.direction > 0:
                cost = (cost * units + part.price * abs(part.size)) / (units + abs(part.size))
            else:
                realised.append(self.direction * (part.price / cost - 1.0))
            units += part.size * self.direction
            costs.append(cost)
        return costs, realised


def _average_price(fills: list[PartialFill]) -> float:
    if len(fills) == 1:  # most are, and the general case takes a hundred times as long
        size = abs(fills[0].size)
        return float(fills[0].price * size / size)
    return float(np.average([part.price for part in fills], weights=[abs(p.size) for p in fills]))
