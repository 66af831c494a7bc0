"""The bars of a market as `step` takes them, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from engine.simulation.account import BarPrices, known_prices

if TYPE_CHECKING:
    from collections.abc import Collection

    from engine.data import Market
    from engine.data.assembly import Assembly


def place_in_time(
    prices: BarPrices,
    assembly: Assembly,
    present: Collection[str],
    price: Literal["open", "close"],
) -> BarPrices:
    """The prices of a bar, of a book on several exchanges with the instants of them.

    Args:
        prices: Of the traded symbols.
        assembly: Of the market.
        present: All symbols of the market that have a bar.
        price: Of the bar, at which orders are filled.
    """
    found = assembly.row_instants(pd.Timestamp(prices.timestamp), present, price)
    if found is None:
        return prices
    closed_at, instants = found
    return prices.model_copy(update={"instants": instants, "closed_at": closed_at})


class MarketBars:
    """The prices of the traded symbols at each bar.

    Args:
        market: The bars.
        symbols: Those that are traded, in the order of the book.
        panel: Whether a symbol may lack bars.
        price: Of a bar, at which orders are filled.
    """

    def __init__(
        self,
        market: Market,
        symbols: tuple[str, ...],
        *,
        panel: bool,
        price: Literal["open", "close"],
    ) -> None:
        self._symbols, self._panel = list(symbols), panel
        self._assembly, self._price = market.assembly, price
        self._open, self._close = market.wide("open"), market.wide("close")
        self._traded, self._present = market.traded, market.present
        self._settlements, self._marks = market.settlements, market.marks

    def at(self, bar: pd.Timestamp) -> BarPrices:
        """The bar of these symbols, and what is paid at it for those that are delisted."""
        named = self._symbols
        if self._panel:
            named = [symbol for symbol in named if self._present.at[bar, symbol]]
        prices = BarPrices(
            timestamp=bar,
            open=known_prices(
                dict(zip(named, self._open.loc[bar, named].to_numpy(), strict=True))
            ),
            close=self._close.loc[bar, named].to_dict(),
            traded=self._traded.loc[bar, named].to_dict(),
        )
        if self._assembly is not None:
            there = [str(name) for name in self._present if self._present.at[bar, name]]
            prices = place_in_time(prices, self._assembly, there, self._price)
        if not self._panel:
            return prices
        paid = [symbol for symbol in self._symbols if self._settlements.at[bar, symbol]]
        settled = self._marks.loc[bar, paid].to_dict()
        return prices.model_copy(update={"settled": settled, "symbols": tuple(self._symbols)})
