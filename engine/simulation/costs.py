"""Cost models: what a fill pays, and what a short position pays for borrowing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field
from typing_extensions import override

from engine.core.errors import UsageError
from engine.core.types import Spec
from engine.simulation.cost_rates import CostRates
from engine.simulation.rate_contract import check_rates
from engine.simulation.rate_values import BySymbol

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from engine.data.market import Market

BPS = 10_000
"""Basis points in one."""


FinancingRate: TypeAlias = Annotated[
    float | None, Field(ge=0, lt=100_000, exclude_if=lambda rate: rate is None)
]
"""Basis points a year of borrowed cash. Left out of what is written where nobody lends."""


class CostModel(Spec, ABC):
    """What trading costs, by bar and symbol.

    Attributes:
        known_before_fill: Whether what a fill pays is known at the close before its bar; the
            leakage certificate then compares it so. What a bar can fill, `CostRates.limit`, may be
            that of the bar itself.
        needs_capital: Whether what a fill pays depends on how much money the book is.
    """

    known_before_fill: ClassVar[bool] = False

    @property
    def needs_capital(self) -> bool:
        """Whether a charge depends on how much money the book begins with."""
        return False

    @property
    def states_typical_cost(self) -> bool:
        """Whether `one_way_cost_bps` is what a fill pays, so that decisions may count in it."""
        return True

    @property
    def loan_per_year(self) -> float | None:
        """What borrowed cash costs, a fraction a year; None where nobody lends."""
        rate: float | None = getattr(self, "financing_bps_per_year", None)
        return None if rate is None else rate / BPS

    @property
    def charges_funding(self) -> bool:
        """Whether positions pay funding, so that the market has to have its rates."""
        return False

    @property
    def named_symbols(self) -> tuple[str, ...]:
        """Symbols that have costs of their own in the file, under `by_symbol`."""
        return ()

    def unknown_symbols(self, market: Market) -> tuple[str, ...]:
        """Those named that the market does not have."""
        return tuple(symbol for symbol in self.named_symbols if symbol not in market.symbols)

    def check_market(self, market: Market, targets: Iterable[str]) -> None:  # noqa: ARG002 - for models that read volumes
        """Refuses a market on which these costs cannot be charged; before any training.

        Args:
            market: All bars.
            targets: Symbols that are traded.

        Raises:
            UsageError: The costs name a symbol that the market does not have; but that of the
                offline dataset, which stands in for another, may lack some.
            InvalidBarsError: They are of volumes, which a target does not have.
        """
        unknown = self.unknown_symbols(market)
        if unknown and not market.provenance.get("offline", False):
            raise UsageError(
                "the costs name a symbol that the dataset does not have",
                expected=f"symbols of the dataset: {', '.join(market.symbols)}",
                found=", ".join(unknown),
                where="costs.by_symbol",
                fix="write the symbol as the dataset does, or leave it out",
            )

    def check_span(self, market: Market, targets: Iterable[str], span: pd.DatetimeIndex) -> None:
        """Refuses bars at which a charge is not known; before any training.

        Args:
            market: All bars.
            targets: Symbols that are traded.
            span: The bars at which they are.

        Raises:
            InvalidBarsError: There is one.
        """

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
            market: All bars, of every symbol of the dataset. Of a panel a symbol has NaN before
                its first bar, and the last close with a volume of 0 where it has no bar after it.

        Returns:
            Numbers, or wide frames with the timestamps and symbols of the market; at least 0, fee
            and slippage below 1, without NaN but before the first bar of a symbol.
        """

    def bind(self, market: Market) -> TradingCosts:
        """The model with its rates on a market.

        Raises:
            ContractError: The rates break the contract of `compute_rates`.
        """
        return self.bind_rates(self.compute_rates(market), market)

    def bind_rates(self, rates: CostRates, market: Market) -> BoundCosts:
        """The model with these rates on a market.

        Raises:
            ContractError: They break the contract of `compute_rates`.
        """
        check_rates(self.kind, rates, market)
        return BoundCosts(self, rates, self.one_way_cost_bps)


class SymbolRates(Spec):
    """Costs of one symbol in basis points; what is left out is as for every symbol.

    Attributes:
        fee_bps: As in `costs`.
        slippage_bps: As in `costs`.
        borrow_bps_per_year: As in `costs`.
    """

    fee_bps: float | None = Field(default=None, ge=0, lt=10_000)
    slippage_bps: float | None = Field(default=None, ge=0, lt=10_000)
    borrow_bps_per_year: float | None = Field(default=None, ge=0, lt=100_000)


class Costs(CostModel):
    """Costs, each in basis points.

    Attributes:
        kind: May be left out.
        fee_bps: Fee of each fill, on the traded value.
        slippage_bps: Slippage of each fill, on the price, against the trade.
        borrow_bps_per_year: Borrow cost of the short value, by calendar time held.
        by_symbol: Symbol -> what it pays instead.
        financing_bps_per_year: What borrowed cash costs, by calendar time; null: nobody lends, and
            buys are cut to the cash.
    """

    known_before_fill: ClassVar[bool] = True

    # Left out of what is written: documents and the ledger know these costs without a kind.
    kind: Literal["fixed"] = Field(default="fixed", exclude=True)
    fee_bps: float = Field(default=10.0, ge=0, lt=10_000)
    slippage_bps: float = Field(default=5.0, ge=0, lt=10_000)
    borrow_bps_per_year: float = Field(default=0.0, ge=0, lt=100_000)
    by_symbol: dict[str, SymbolRates] = Field(default={}, exclude_if=lambda named: not named)
    financing_bps_per_year: FinancingRate = None

    @property
    def one_way_cost_bps(self) -> float:
        """Fee and slippage of a symbol that `by_symbol` does not name."""
        return self.fee_bps + self.slippage_bps

    @property
    def highest_rate_bps(self) -> float:
        """The larger of fee and slippage."""
        return BPS * self.rates.highest if self.by_symbol else max(self.fee_bps, self.slippage_bps)

    @property
    def rates(self) -> CostRates:
        """The same at every bar."""
        return CostRates(
            self._rate("fee_bps"),
            self._rate("slippage_bps"),
            self._rate("borrow_bps_per_year"),
            loan_per_year=self.loan_per_year,
        )

    def _rate(self, name: str) -> float | BySymbol[float]:
        default = getattr(self, name) / BPS
        own = {symbol: getattr(rates, name) for symbol, rates in self.by_symbol.items()}
        named = {symbol: rate / BPS for symbol, rate in own.items() if rate is not None}
        return BySymbol(default, named) if named else float(default)

    @property
    def named_symbols(self) -> tuple[str, ...]:
        """Those of `by_symbol`."""
        return tuple(self.by_symbol)

    @override
    def compute_rates(self, market: Market) -> CostRates:
        """The same at every bar."""
        return self.rates

    def bind(self, market: Market) -> TradingCosts:
        """Itself; with rates of its own for a symbol, these on the market."""
        return super().bind(market) if self.by_symbol else self

    def at_one_way_cost(self, cost_bps: float) -> TradingCosts:
        """Costs of that fee and slippage together, in the proportion of these."""
        if self.by_symbol:
            bound = BoundCosts(self, self.rates, self.one_way_cost_bps)
            return bound.at_one_way_cost(cost_bps)
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
        """What decisions take for the cost of going in and out again: that of the model."""
        return self.model.round_trip_cost

    @property
    def highest_rate_bps(self) -> float:
        """The highest fee or slippage at any bar."""
        return BPS * self.rates.highest

    def with_capital(self, capital: float) -> BoundCosts:
        """The same charges for a book that begins with so much money."""
        return replace(self, rates=self.rates.with_capital(capital))

    def free(self) -> BoundCosts:
        """Fills that pay nothing, and bars that fill every order."""
        return replace(self, rates=self.rates.times(0.0).without_limit(), one_way_cost_bps=0.0)

    def paying(self, cost_bps: float) -> BoundCosts:
        """The same charges, of which fills were found to pay so much of their value."""
        return replace(self, one_way_cost_bps=cost_bps)

    def at_one_way_cost(self, cost_bps: float) -> BoundCosts:
        """The same charges, all multiplied; a fee of that size where a fill pays nothing."""
        if self.one_way_cost_bps == 0:
            scaled = self.rates.plus_fee(cost_bps / BPS)
        else:
            scaled = self.rates.times(cost_bps / self.one_way_cost_bps)
        return replace(self, rates=scaled, one_way_cost_bps=cost_bps)


TradingCosts: TypeAlias = Costs | BoundCosts
"""Costs that can be charged: with rates, and able to be scaled."""
