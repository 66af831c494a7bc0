"""What fills pay on one market, as tables: rates, amounts and limits by bar and symbol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.core.errors import UsageError
from engine.simulation.accounting import MAX_FILL_RATE
from engine.simulation.rate_values import (
    BarRates,
    BySymbol,
    Rate,
    Tier,
    cut_rate,
    funding_by_fill,
    is_all,
    pick_cells,
    scale_rate,
    scale_tiers,
    values_of,
)
from engine.simulation.unknown_volumes import describe_unknown, missing_volume

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from engine.core.types import BoolMatrix, IntVector, Matrix, Vector, WideFrame
    from engine.simulation.accounting.tables import TierTable

    Values: TypeAlias = npt.NDArray[np.float64]

T = TypeVar("T")

FEE_RATES = ("fee", "slippage", "per_unit", "minimum", "impact")
"""What a multiple of the costs multiplies, beside `maximum` and the slopes of tiers."""

RATE_NAMES = (
    "fee",
    "slippage",
    "borrow_per_year",
    "per_unit",
    "minimum",
    "maximum",
    "impact",
    "limit",
    "funding_to_open",
    "funding_to_close",
)
"""The tables of `CostRates` that may have a value a bar and symbol."""

FUNDING = ("funding_to_open", "funding_to_close")
"""Tables whose rates may be below 0, where a long position receives them."""

KNOWN_AT_CLOSE = ("limit", "borrow_per_year", *FUNDING)
"""Tables whose row is of the whole bar: what it could fill, what its positions are due at
instants up to its close, and what is paid after it."""

OF_VOLUMES = ("impact", "limit")
"""Tables that are NaN for a symbol without volumes, which then cannot be traded."""


_NO_TIERS: BySymbol[tuple[Tier, ...]] = BySymbol(())


@dataclass(frozen=True, eq=False)
class CostRates:
    """What the fills of one market pay, see `accounting.tables.OrderCosts` for the formula.

    Money is that of the prices and units are those that are traded, for a book of `capital`; a
    book of an equity of 1 is that book divided by it.

    Attributes:
        fee: Fraction of the traded value, each fill.
        slippage: Fraction of the price, paid on it against the trade, each fill.
        borrow_per_year: Fraction of the short value, by calendar time held; a bar pays the rate of
            the bar before, at whose close the short was held.
        per_unit: Money a unit, each fill.
        minimum: Money, the least that a fill pays as its fee.
        maximum: Fraction of the traded value, the most that it pays as its fee; wins over the
            minimum. Infinite is none.
        impact: Fraction of the price that an order of one unit moves it; one of q units moves it
            by sqrt(q) of that.
        limit: Units that are filled at a bar at most; infinite is none.
        tiers: By symbol, what a fill pays beside: slope x max(0, amount - threshold) of each.
        capital: Equity at the beginning, in money.
        loan_per_year: Of borrowed cash, by calendar time; None where nobody lends, so that buys
            are cut to the cash.
        funding_to_open: Sum of the funding rates of the payments after the close of the bar before
            and up to the open of the bar; longs pay what is above 0 to shorts.
        funding_to_close: The same, of those after the open and up to the close of the bar.
    """

    fee: Rate
    slippage: Rate
    borrow_per_year: Rate = 0.0
    per_unit: Rate = 0.0
    minimum: Rate = 0.0
    maximum: Rate = np.inf
    impact: Rate = 0.0
    limit: Rate = np.inf
    tiers: BySymbol[tuple[Tier, ...]] = _NO_TIERS
    capital: float = 1.0
    loan_per_year: float | None = None
    funding_to_open: Rate = 0.0
    funding_to_close: Rate = 0.0

    @property
    def lends(self) -> bool:
        """Whether a buy may cost more than the cash."""
        return self.loan_per_year is not None

    @property
    def loan_rate(self) -> float:
        """`loan_per_year`; NaN where nobody lends."""
        return np.nan if self.loan_per_year is None else float(self.loan_per_year)

    def aligned_funding(
        self, prices: WideFrame, price: Literal["open", "close"]
    ) -> tuple[Matrix, Matrix]:
        """The funding rates due before and after the fills of each bar, see `aligned`."""
        to_open, to_close = (self.aligned(name, prices) for name in FUNDING)
        return funding_by_fill(to_open, to_close, price)

    @property
    def depends_on_size(self) -> bool:
        """Whether a fill may pay another share of its value than a smaller one, or be cut."""
        nothing = {
            "per_unit": 0.0,
            "minimum": 0.0,
            "maximum": np.inf,
            "impact": 0.0,
            "limit": np.inf,
        }
        plain = all(is_all(getattr(self, name), value) for name, value in nothing.items())
        return not plain or bool(self.tiers.default or any(self.tiers.named.values()))

    @property
    def needs_capital(self) -> bool:
        """Whether a table is money or units of the book, so that its capital has to be known."""
        neutral = {"minimum": 0.0, "impact": 0.0, "limit": np.inf}
        tiers = (self.tiers.default, *self.tiers.named.values())
        return not all(is_all(getattr(self, name), value) for name, value in neutral.items()) or (
            any(threshold > 0 for own in tiers for threshold, _, _ in own)
        )

    def aligned(
        self, name: str, prices: WideFrame, *, settled: BoolMatrix | None = None
    ) -> Matrix:
        """One table on the rows and symbols of `prices`: (1, k), or (n, k) where it varies.

        Money and units are those of a book of an equity of 1.

        Args:
            name: Table.
            prices: Bars and symbols.
            settled: (n, k) where a delisted symbol is paid out, which costs nothing.
        """
        rate = getattr(self, name)
        if isinstance(rate, pd.DataFrame):
            values = rate.loc[prices.index, list(prices.columns)].to_numpy(dtype=np.float64)
        elif isinstance(rate, BySymbol):
            values = np.array([[rate.of(str(symbol)) for symbol in prices.columns]], dtype=float)
        else:
            values = np.repeat([float(rate)], prices.shape[1])[None, :]
        if name in OF_VOLUMES and np.isnan(values).any():
            rows: BoolMatrix = np.broadcast_to(np.isnan(values), prices.shape)
            raise missing_volume(
                [
                    describe_unknown(str(prices.columns[place]), rows[:, place], prices.index)
                    for place in np.flatnonzero(rows.any(axis=0)).tolist()
                ],
                name,
            )
        aligned: Matrix = values * self._scale_of(name)
        if settled is None or not settled.any() or name == "borrow_per_year":
            return aligned
        free = getattr(self.of_settlement, name)
        return np.where(settled, free, np.broadcast_to(aligned, settled.shape))

    @property
    def of_settlement(self) -> BarRates:
        """What the payment for a delisted symbol is charged: nothing."""
        tiered = bool(self.tiers.default or any(self.tiers.named.values()))
        return BarRates(0.0, 0.0, 0.0, maximum=0.0 if tiered else np.inf)

    def at_absences(self, present: BoolMatrix) -> CostRates:
        """The same where symbols of a panel have no bar: what was known at their last one.

        Tables of volumes and funding are free of charge there; those of past bars are at the first
        bar too, which has none before it.

        Args:
            present: (n, k) the rows of the tables, the symbols in their order.
        """
        last = np.maximum.accumulate(
            np.where(present, np.arange(len(present))[:, None], -1), axis=0
        )
        first = present & (np.cumsum(present, axis=0) == 1)
        changed: dict[str, Any] = {}
        for name in RATE_NAMES:
            rate = getattr(self, name)
            if isinstance(rate, pd.DataFrame):
                values = rate.to_numpy(dtype=np.float64)
                free = getattr(BarRates(0.0, 0.0, 0.0), name)
                carried = np.take_along_axis(values, np.maximum(last, 0), axis=0)
                unknown = (last < 0) | (first & np.isnan(carried))
                if name in OF_VOLUMES or name in FUNDING:
                    unknown |= ~present
                kept = np.where(unknown, free, carried)
                changed[name] = pd.DataFrame(kept, index=rate.index, columns=rate.columns)
        return replace(self, **changed)

    def aligned_tiers(self, prices: WideFrame) -> TierTable:
        """(k, m, 3) the tiers of each symbol, as in `OrderCosts`; those beyond its own add 0."""
        own = [self._tiers_of(str(symbol)) for symbol in prices.columns]
        table = np.zeros((len(own), max(map(len, own), default=0), 3))
        table[:, :, 0] = np.inf
        for place, tiers in enumerate(own):
            for number, tier in enumerate(tiers):
                table[place, number] = tier
        return table

    def at(self, timestamp: datetime, symbols: Iterable[str]) -> Mapping[str, BarRates]:
        """What one bar charges, by symbol.

        Raises:
            UsageError: A rate varies, and has no row for the bar or no column for a symbol.
        """
        symbols = tuple(symbols)
        if symbols in self._constant_rates:
            return self._constant_rates[symbols]
        found = self._rates_at(timestamp, symbols)
        if not any(isinstance(getattr(self, name), pd.DataFrame) for name in RATE_NAMES):
            self._constant_rates[symbols] = found
        return found

    @cached_property
    def _constant_rates(self) -> dict[tuple[str, ...], Mapping[str, BarRates]]:
        """Symbols -> what every bar charges, once asked for; none where a rate varies."""
        return {}

    def _rates_at(self, timestamp: datetime, symbols: tuple[str, ...]) -> dict[str, BarRates]:
        rates = [self._by_symbol(name, timestamp, symbols) for name in RATE_NAMES]
        for name, rate in zip(RATE_NAMES, rates, strict=True):
            if name in OF_VOLUMES and (unknown := [s for s in symbols if np.isnan(rate(s))]):
                raise missing_volume([f"{symbol} at {timestamp}" for symbol in unknown], name)
        return {
            symbol: BarRates(
                **{
                    name: float(rate(symbol)) * self._scale_of(name)
                    for name, rate in zip(RATE_NAMES, rates, strict=True)
                },
                tiers=self._tiers_of(symbol),
            )
            for symbol in symbols
        }

    def with_capital(self, capital: float) -> CostRates:
        """The same charges for a book that begins with so much money."""
        return replace(self, capital=capital)

    def times(self, factor: float) -> CostRates:
        """All that a fill pays, multiplied; fee and slippage are cut to `MAX_FILL_RATE`.

        The borrow rate and the limit are as they were.
        """
        scaled: dict[str, Any] = {n: scale_rate(getattr(self, n), factor) for n in FEE_RATES}
        scaled |= {name: cut_rate(scaled[name]) for name in ("fee", "slippage")}
        scaled["maximum"] = scale_rate(self.maximum, factor) if factor > 0 else self.maximum
        tiers = BySymbol(
            scale_tiers(self.tiers.default, factor),
            {symbol: scale_tiers(own, factor) for symbol, own in self.tiers.named.items()},
        )
        return replace(self, tiers=tiers, **scaled)

    def plus_fee(self, fee: float) -> CostRates:
        """With a further fee, a fraction of the traded value."""
        if isinstance(self.fee, BySymbol):
            named = {symbol: own + fee for symbol, own in self.fee.named.items()}
            return replace(self, fee=cut_rate(BySymbol(self.fee.default + fee, named)))
        return replace(self, fee=cut_rate(self.fee + fee))

    def without_limit(self) -> CostRates:
        """With bars that fill any order."""
        return replace(self, limit=np.inf)

    @property
    def highest(self) -> float:
        """The highest fee or slippage at any bar, a fraction."""
        return max(float(np.max(values_of(rate))) for rate in (self.fee, self.slippage))

    def fees_of(
        self, prices: WideFrame, rows: IntVector, columns: IntVector, size: Vector, value: Vector
    ) -> Vector:
        """What fills pay as their fees, money of a book of an equity of 1, shape (m,).

        Args:
            prices: Bars and symbols that rows and columns are of.
            rows: Bar of each fill.
            columns: Symbol of each.
            size: Units, positive.
            value: Units x price with slippage.
        """
        each = {
            name: pick_cells(self.aligned(name, prices), rows, columns)
            for name in ("fee", "per_unit", "minimum", "maximum")
        }
        fees = each["fee"] * value + each["per_unit"] * size
        tiers = self.aligned_tiers(prices)[columns]
        for number in range(tiers.shape[1]):
            threshold, slope, of_units = tiers[:, number].T
            amount = np.where(of_units != 0, size, value)
            fees = fees + slope * np.maximum(amount - threshold, 0.0)
        return np.minimum(np.maximum(fees, each["minimum"]), each["maximum"] * value)

    def slippages_of(
        self, prices: WideFrame, rows: IntVector, columns: IntVector, size: Vector
    ) -> Vector:
        """The slippage of fills, a fraction of their prices, shape (m,), see `fees_of`."""
        slippage = pick_cells(self.aligned("slippage", prices), rows, columns)
        impact = pick_cells(self.aligned("impact", prices), rows, columns)
        moved = np.minimum(slippage + impact * np.sqrt(size), MAX_FILL_RATE)
        return np.where(impact > 0, np.maximum(slippage, moved), slippage)

    def _scale_of(self, name: str) -> float:
        """What makes a table in money or units one of a book of an equity of 1."""
        return float(self.capital ** _MONEY_POWERS.get(name, 0.0))

    def _tiers_of(self, symbol: str) -> tuple[tuple[float, float, float], ...]:
        return tuple(
            (threshold / self.capital, slope, float(of_units))
            for threshold, slope, of_units in self.tiers.of(symbol)
        )

    def _by_symbol(
        self, name: str, timestamp: datetime, symbols: tuple[str, ...]
    ) -> Callable[[str], float]:
        rate = getattr(self, name)
        if isinstance(rate, BySymbol):
            return rate.of
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


_MONEY_POWERS = {"minimum": -1.0, "impact": 0.5, "limit": -1.0}
"""Table -> the power of the capital that makes it one of a book of an equity of 1."""
