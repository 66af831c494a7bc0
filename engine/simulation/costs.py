"""Cost models: what a fill pays, and what a short position pays for borrowing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from pydantic import Field

from engine.core.errors import ContractError, UsageError
from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    import numpy.typing as npt

    from engine.core.types import WideFrame
    from engine.data.market import Market

BPS = 10_000
"""Basis points in one."""

MAX_FILL_RATE = 0.9999
"""Of the traded value: what a scaled fee or slippage is cut to; a whole price buys nothing."""

RATE_NAMES = ("fee", "slippage", "borrow_per_year")


class BarRates(NamedTuple):
    """Rates of one bar and symbol, in the units of `CostRates`."""

    fee: float
    slippage: float
    borrow_per_year: float


@dataclass(frozen=True, eq=False)
class CostRates:
    """Rates of one market, each a number for all of it or wide: a row a bar, a column a symbol.

    Attributes:
        fee: Fraction of the traded value, each fill.
        slippage: Fraction of the price, paid on it against the trade, each fill.
        borrow_per_year: Fraction of the short value, by calendar time held; a bar pays the rate of
            the bar before, at whose close the short was held.
    """

    fee: float | WideFrame
    slippage: float | WideFrame
    borrow_per_year: float | WideFrame = 0.0

    def aligned(self, name: str, prices: WideFrame) -> npt.NDArray[np.float64]:
        """One rate on the rows and symbols of `prices`: (1, k), or (n, k) where it varies."""
        rate = getattr(self, name)
        if isinstance(rate, pd.DataFrame):
            return rate.loc[prices.index, list(prices.columns)].to_numpy(dtype=np.float64)
        return np.repeat([rate], prices.shape[1])[None, :]

    def at(self, timestamp: datetime, symbols: Iterable[str]) -> dict[str, BarRates]:
        """The rates of one bar, by symbol.

        Raises:
            UsageError: A rate varies, and has no row for the bar or no column for a symbol.
        """
        symbols = tuple(symbols)
        fee, slippage, borrow = (self._by_symbol(name, timestamp, symbols) for name in RATE_NAMES)
        return {
            symbol: BarRates(float(fee(symbol)), float(slippage(symbol)), float(borrow(symbol)))
            for symbol in symbols
        }

    def _by_symbol(
        self, name: str, timestamp: datetime, symbols: tuple[str, ...]
    ) -> Callable[[str], float]:
        rate = getattr(self, name)
        if not isinstance(rate, pd.DataFrame):
            return lambda _: rate
        if timestamp not in rate.index:
            raise UsageError(
                f"the costs have no {name} for a bar",
                expected="costs bound to a market that has the bar",
                found=f"rates to {rate.index[-1]}",
                where=f"{timestamp}",
                fix="bind the cost model to the bars up to this one",
            )
        if missing := set(symbols) - set(rate.columns):
            raise UsageError(
                f"the costs have no {name} for a symbol",
                expected="costs bound to a market that has the symbols of the bar",
                found=f"rates of {', '.join(rate.columns)}",
                where=", ".join(sorted(missing)),
                fix="bind the cost model to the market that is traded",
            )
        return dict(zip(rate.columns, rate.loc[timestamp], strict=True)).__getitem__


class CostModel(Spec, ABC):
    """What trading costs, by bar and symbol."""

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""

    @property
    @abstractmethod
    def one_way_cost_bps(self) -> float:
        """What a typical fill pays, fee and slippage together, in basis points.

        Thresholds in round trips are measured in it, and the sensitivity analysis scales from it;
        what is charged is what `compute_rates` says.
        """

    @property
    def round_trip_cost(self) -> float:
        """Cost of going in and out again, as a fraction of the traded value."""
        return 2.0 * self.one_way_cost_bps / BPS

    @abstractmethod
    def compute_rates(self, market: Market) -> CostRates:
        """The rates of every bar.

        A rate may depend on the whole bar of its fill, since it decides nothing; it must not
        depend on later bars.

        Args:
            market: All bars, of every symbol of the dataset.

        Returns:
            Numbers, or wide frames with the timestamps and symbols of the market; at least 0, fee
            and slippage below 1, without NaN.
        """

    def bind(self, market: Market) -> TradingCosts:
        """The model with its rates on a market.

        Raises:
            ContractError: The rates break the contract of `compute_rates`.
        """
        return self.bind_rates(self.compute_rates(market), market)

    def bind_rates(self, rates: CostRates, market: Market) -> TradingCosts:
        """The model with these rates on a market.

        Raises:
            ContractError: They break the contract of `compute_rates`.
        """
        _check_rates(self, rates, market)
        return BoundCosts(self, rates, self.one_way_cost_bps)


class Costs(CostModel):
    """Costs, each in basis points.

    Attributes:
        kind: May be left out.
        fee_bps: Fee of each fill, on the traded value.
        slippage_bps: Slippage of each fill, on the price, against the trade.
        borrow_bps_per_year: Borrow cost of the short value, by calendar time held.
    """

    # Left out of what is written: documents and the ledger know these costs without a kind.
    kind: Literal["fixed"] = Field(default="fixed", exclude=True)
    fee_bps: float = Field(default=10.0, ge=0, lt=10_000)
    slippage_bps: float = Field(default=5.0, ge=0, lt=10_000)
    borrow_bps_per_year: float = Field(default=0.0, ge=0, lt=100_000)

    @property
    def one_way_cost_bps(self) -> float:
        """Fee and slippage."""
        return self.fee_bps + self.slippage_bps

    @property
    def highest_rate_bps(self) -> float:
        """The larger of fee and slippage."""
        return max(self.fee_bps, self.slippage_bps)

    @property
    def rates(self) -> CostRates:
        """The same at every bar."""
        return CostRates(
            self.fee_bps / BPS, self.slippage_bps / BPS, self.borrow_bps_per_year / BPS
        )

    def compute_rates(self, market: Market) -> CostRates:  # noqa: ARG002 - whatever the bars
        """The same at every bar."""
        return self.rates

    def bind(self, market: Market) -> TradingCosts:  # noqa: ARG002 - whatever the bars
        """Itself."""
        return self

    def at_one_way_cost(self, cost_bps: float) -> Costs:
        """Costs of that fee and slippage together, in the proportion of these."""
        paid = self.one_way_cost_bps
        if paid == 0:
            return self.model_copy(update={"fee_bps": cost_bps})
        factor = cost_bps / paid
        fee, slippage = self.fee_bps * factor, self.slippage_bps * factor
        return self.model_copy(update={"fee_bps": fee, "slippage_bps": slippage})


@dataclass(frozen=True, eq=False)
class BoundCosts:
    """A cost model with its rates on a market.

    Attributes:
        model: The model.
        rates: On all bars of the market.
        one_way_cost_bps: What a typical fill pays at these rates.
    """

    model: CostModel
    rates: CostRates
    one_way_cost_bps: float

    @property
    def round_trip_cost(self) -> float:
        """Cost of going in and out again, as a fraction of the traded value."""
        return 2.0 * self.one_way_cost_bps / BPS

    @property
    def highest_rate_bps(self) -> float:
        """The highest fee or slippage at any bar."""
        return BPS * max(float(np.max(rate)) for rate in (self.rates.fee, self.rates.slippage))

    def at_one_way_cost(self, cost_bps: float) -> BoundCosts:
        """The same rates, scaled; a fee of that size where a typical fill pays nothing."""
        if self.one_way_cost_bps == 0:
            scaled = replace(self.rates, fee=_cut(self.rates.fee + cost_bps / BPS))
        else:
            factor = cost_bps / self.one_way_cost_bps
            scaled = replace(
                self.rates,
                fee=_cut(self.rates.fee * factor),
                slippage=_cut(self.rates.slippage * factor),
            )
        return replace(self, rates=scaled, one_way_cost_bps=cost_bps)


TradingCosts: TypeAlias = Costs | BoundCosts
"""Costs that can be charged: with rates, and able to be scaled."""


def _cut(rate: float | WideFrame) -> float | WideFrame:
    if isinstance(rate, pd.DataFrame):
        return rate.clip(upper=MAX_FILL_RATE)
    return min(rate, MAX_FILL_RATE)


def _check_rates(model: CostModel, rates: object, market: Market) -> None:
    """Refuses rates that a fill cannot pay."""
    if not isinstance(rates, CostRates):
        raise ContractError(model.kind, "compute_rates returns CostRates", repr(type(rates)))
    closes = market.wide("close")
    for name in RATE_NAMES:
        rate = getattr(rates, name)
        if isinstance(rate, pd.DataFrame) and not (
            rate.index.equals(closes.index) and set(closes.columns) <= set(rate.columns)
        ):
            raise ContractError(
                model.kind,
                f"{name} has the timestamps and the symbols of the market",
                f"shape {rate.shape}, the market's is {closes.shape}",
            )
        values = np.asarray(rate, dtype=np.float64)
        limit = np.inf if name == "borrow_per_year" else 1.0
        wrong = ~np.isfinite(values) | (values < 0) | (values >= limit)
        if wrong.any():
            bound = "" if limit == np.inf else " and below 1"
            raise ContractError(
                model.kind,
                f"{name} is at least 0{bound} at every bar",
                f"{int(wrong.sum())} values that are not, the first {values[wrong][0]}",
            )
