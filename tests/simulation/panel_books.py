"""Books on random panels: symbols that are listed, halted, delisted, and listed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from engine.data import Market
from engine.data.universe_config import DelistingSpec
from engine.signals.orders import place_orders
from engine.simulation import Account, BarPrices, SimulationResult, simulate, step
from engine.simulation.config import Costs, Execution

if TYPE_CHECKING:
    from engine.core.types import WideFrame
    from engine.simulation.account import Fill


def make_panel(
    present: np.ndarray,
    rng: np.random.Generator,
    *,
    delisting: DelistingSpec | None = None,
    days: np.ndarray | None = None,
) -> Market:
    """A market whose symbols have bars where `present` says, at any prices."""
    count, symbols = present.shape
    offsets = np.arange(count) if days is None else days
    stamps = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(offsets, unit="D")
    index = pd.DatetimeIndex(stamps, name="timestamp").as_unit("us")
    opens = 10.0 ** rng.integers(-2, 4, symbols) * np.exp(
        rng.normal(0, 0.1, present.shape).cumsum(axis=0)
    )
    closes = opens * np.exp(rng.normal(0, 0.1, present.shape))
    high, low = np.maximum(opens, closes), np.minimum(opens, closes)
    volume = np.where(rng.random(present.shape) < 0.1, 0.0, 1_000.0)
    names = [f"S{number}" for number in range(symbols)]
    columns = {"open": opens, "high": high, "low": low, "close": closes, "volume": volume}
    bars = pd.DataFrame(
        {
            "timestamp": index.repeat(symbols),
            "symbol": pd.Series(names * count, dtype="str"),
            **{name: np.where(present, each, np.nan).ravel() for name, each in columns.items()},
        }
    )
    return Market(
        bars,
        tuple(names),
        "1d",
        "24/7",
        365.25,
        {"offline": False, "name": "panel"},
        delisting=delisting or DelistingSpec(),
    )


def random_presence(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Listings and delistings at any row, halts of one bar and of many; a bar at every row."""
    count, symbols = shape
    present = np.zeros(shape, dtype=np.bool_)
    for place in range(symbols):
        first, last = np.sort(rng.integers(0, count + 1, 2))
        present[first:last, place] = True
        for _ in range(rng.integers(0, 3)):
            begin = rng.integers(0, count)
            present[begin : begin + rng.integers(1, 9), place] = False
    empty = ~present.any(axis=1)
    present[empty, rng.integers(0, symbols, int(empty.sum()))] = True
    return present


@dataclass(frozen=True)
class PanelBook:
    """A book on a panel."""

    market: Market
    weights: WideFrame
    costs: Costs
    execution: Execution
    cash_rate: float

    def simulated(self, *, bar_by_bar: bool = False) -> SimulationResult:
        from engine.simulation.portfolio import simulate_all

        market, execution = self.market, self.execution
        arguments = {
            "costs": self.costs,
            "execution": execution,
            "traded": market.traded,
            "settlements": market.settlements,
            "cash_rates": self.cash_rate,
        }
        prices = market.tradable("open"), market.tradable("close")
        if bar_by_bar:
            return simulate_all({"": self.weights}, *prices, **arguments, bar_by_bar=True)[""]
        return simulate(self.weights, *prices, **arguments)

    def bar(self, row: int) -> BarPrices:
        market = self.market
        there = market.present.iloc[row]
        names = [symbol for symbol in market.symbols if there[symbol]]
        paid = market.settlements.iloc[row]
        return BarPrices(
            timestamp=market.present.index[row],
            open=market.wide("open").iloc[row][names].to_dict(),
            close=market.wide("close").iloc[row][names].to_dict(),
            traded=market.traded.iloc[row][names].to_dict(),
            settled=market.marks.iloc[row][paid].to_dict(),
            symbols=market.symbols,
        )

    def fold(self) -> tuple[list[Account], list[Fill]]:
        account, orders, accounts, fills = Account(), (), [], []
        for row, decided in enumerate(self.weights.index):
            account, filled = step(
                account,
                self.bar(row),
                orders,
                self.costs,
                price=self.execution.price,
                cash_rate=self.cash_rate,
                maintenance_margin=self.execution.maintenance_margin,
            )
            accounts.append(account)
            fills.extend(filled)
            targets = self.weights.iloc[row].to_dict()
            orders = (
                ()
                if account.ruined
                else place_orders(
                    account.targets, targets, decided_on=decided, delay=self.execution.delay
                )
            )
        return accounts, fills


@st.composite
def panel_books(draw: st.DrawFn, *, financed: bool = True) -> PanelBook:
    """Weights are 0 where a symbol is not listed, as those of a strategy."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(4, 40)), draw(st.integers(1, 5))
    delisting = DelistingSpec(
        after_days=draw(st.integers(1, 6)),
        delisting_return=draw(st.sampled_from([0.0, -0.3, -1.0, 0.5])),
        by_symbol={"S0": -0.9} if draw(st.booleans()) else {},
    )
    days = rng.integers(1, 3, shape[0]).cumsum()
    market = make_panel(random_presence(rng, shape), rng, delisting=delisting, days=days)
    targets = rng.choice([-0.5, 0.0, 0.0, 0.2, 1 / 3, 0.5, 1.0], shape) / shape[1]
    held = np.repeat(targets, draw(st.integers(1, 4)), axis=0)[: shape[0]]
    weights = market.listed.where(market.listed, other=False).astype(float) * held
    return PanelBook(
        market,
        weights,
        Costs(
            fee_bps=draw(st.sampled_from([0.0, 10.0, 300.0])),
            slippage_bps=draw(st.sampled_from([0.0, 5.0, 200.0])),
            borrow_bps_per_year=draw(st.sampled_from([0.0, 5_000.0])) if financed else 0.0,
        ),
        Execution(
            delay=draw(st.integers(1, 3)),
            price=draw(st.sampled_from(["open", "close"])),
            maintenance_margin=draw(st.sampled_from([None, None, 0.5])) if financed else None,
        ),
        draw(st.sampled_from([0.0, 0.05])) if financed else 0.0,
    )
