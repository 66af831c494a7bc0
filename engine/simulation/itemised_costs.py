"""Costs item by item: commission, spread, market impact, what a bar can fill, and borrowing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from engine.core.errors import InvalidBarsError
from engine.core.types import Spec
from engine.data.bars import has_values
from engine.simulation.commissions import BpsCommission, Commission
from engine.simulation.cost_rates import OF_VOLUMES, CostRates
from engine.simulation.costs import BPS, CostModel, FinancingRate
from engine.simulation.funding import (
    FundingCharge,
    check_funding,
    compute_funding,
    refuse_unfunded,
)
from engine.simulation.price_costs import (
    ConstantSpread,
    Spread,
    SquareRootImpact,
    known_volume,
    select_columns,
)
from engine.simulation.rate_values import BySymbol
from engine.simulation.unknown_volumes import describe_unknown, missing_volume

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.types import Vector, WideFrame
    from engine.data.market import Market


MOST_UNKNOWN_VOLUMES = 0.01
"""Share of a symbol's bars up to which an unknown volume does not refuse costs of volumes."""


class SymbolCosts(Spec):
    """Costs of one symbol; what is left out is as for every symbol.

    Attributes:
        commission: As in `costs`.
        spread: As in `costs`.
        impact: As in `costs`; a coefficient of 0 is none.
        max_participation: As in `costs`.
        borrow_bps_per_year: As in `costs`.
    """

    commission: Commission | None = None
    spread: Spread | None = None
    impact: SquareRootImpact | None = None
    max_participation: float | None = Field(default=None, gt=0, le=1)
    borrow_bps_per_year: float | None = Field(default=None, ge=0, lt=100_000)


class ItemisedCosts(CostModel):
    """What a broker, the market and a lender each take.

    Attributes:
        kind: `itemised`.
        commission: What a fill pays the broker.
        spread: Half the bid-ask spread, which a fill pays on its price.
        impact: What an order moves its own price; null is nothing.
        max_participation: Share of the volume of a bar that an order is filled up to; what is left
            waits for the next bar. null is no limit.
        borrow_bps_per_year: Borrow cost of the short value, by calendar time held.
        by_symbol: Symbol -> what is otherwise for it.
        financing_bps_per_year: What borrowed cash costs, by calendar time; null: nobody lends, and
            buys are cut to the cash.
        funding: Funding of perpetuals; null is none.
        typical_bps: What decisions take for the cost of a fill, as those of a threshold in round
            trips do; null is the sum of commission and spread where both are in basis points.
    """

    known_before_fill: ClassVar[bool] = True

    kind: Literal["itemised"] = "itemised"
    commission: Commission = BpsCommission()
    spread: Spread = ConstantSpread()
    impact: SquareRootImpact | None = None
    max_participation: float | None = Field(default=None, gt=0, le=1)
    borrow_bps_per_year: float = Field(default=0.0, ge=0, lt=100_000)
    by_symbol: dict[str, SymbolCosts] = Field(default={})
    financing_bps_per_year: FinancingRate = None
    funding: FundingCharge | None = Field(default=None, exclude_if=lambda funding: funding is None)
    typical_bps: float | None = Field(default=None, ge=0, lt=10_000)

    @property
    def one_way_cost_bps(self) -> float:
        """`typical_bps`, or those of commission and spread; an unknown one counts as 0."""
        if self.typical_bps is not None:
            return self.typical_bps
        return (self.commission.typical_bps or 0.0) + (self.spread.typical_bps or 0.0)

    @property
    def states_typical_cost(self) -> bool:
        """Whether decisions know what a fill costs."""
        parts = (self.typical_bps, self.commission.typical_bps, self.spread.typical_bps)
        return self.typical_bps is not None or None not in parts[1:]

    @property
    def named_symbols(self) -> tuple[str, ...]:
        """Those of `by_symbol`."""
        return tuple(self.by_symbol)

    @property
    def needs_capital(self) -> bool:
        """Whether a minimum, a tier, an impact or a limit is money or units."""
        every = (self, *(self._of(symbol) for symbol in self.by_symbol))
        return any(
            each.commission.needs_capital or any(each._reads(name) for name in OF_VOLUMES)
            for each in every
        )

    @property
    def bars_needed(self) -> int:
        """The newest bars that what is charged at the last of them is estimated from.

        A window of pairs or returns before a bar begins one bar further back. Where none of them
        has a volume above 0 the last one before is needed.
        """
        every = (self, *(self._of(symbol) for symbol in self.by_symbol))
        windows = [
            getattr(part, "window", 0)
            for each in every
            for part in (each.spread, each.impact)
            if part is not None
        ]
        return max(windows) + 2

    def check_market(self, market: Market, targets: Iterable[str]) -> None:
        """Refuses costs of a symbol that there is not, and those of volumes that there are not.

        Bars of volume 0 that count as traded have an unknown volume, see `known_volume`. Up to
        `MOST_UNKNOWN_VOLUMES` of the bars may be such: they are left out of the impact's volume,
        and fill any order. Those before the first volume do not count: what is charged there is
        NaN, which binding the costs to bars that are traded refuses.
        """
        super().check_market(market, targets)
        if self.charges_funding:
            check_funding(market)
        targets = tuple(targets)
        for symbol in targets:
            self._check_spread(market, symbol)
        for name in OF_VOLUMES:
            found = [_unknown_volumes(market, s) for s in targets if self._of(s)._reads(name)]
            if unknown := [sentence for sentence in found if sentence]:
                raise missing_volume(unknown, name)

    def check_span(self, market: Market, targets: Iterable[str], span: pd.DatetimeIndex) -> None:
        """Refuses bars whose funding rates are missing, where `funding.missing` says so."""
        if self.funding is not None and self.funding.missing == "refuse":
            refuse_unfunded(market, targets, span)

    @property
    def charges_funding(self) -> bool:
        """Whether positions pay funding."""
        return self.funding is not None

    def compute_rates(self, market: Market) -> CostRates:
        """What every fill pays, of the bars before it; and what its own bar can fill.

        NaN where an impact or a limit is of volumes that the source does not have.
        """
        symbols = market.symbols
        own = {symbol: self._of(symbol) for symbol in symbols}
        commissions = {symbol: each.commission for symbol, each in own.items()}
        to_open, to_close = compute_funding(market) if self.charges_funding else (0.0, 0.0)
        return CostRates(
            fee=_by_symbol({s: c.fee for s, c in commissions.items()}),
            slippage=_wide(market, {s: c.spread.half_spread(market, s) for s, c in own.items()}),
            borrow_per_year=_by_symbol({s: c.borrow_bps_per_year / BPS for s, c in own.items()}),
            per_unit=_by_symbol({s: c.per_unit for s, c in commissions.items()}),
            minimum=_by_symbol({s: c.minimum for s, c in commissions.items()}),
            maximum=_by_symbol(
                {
                    s: np.inf if c.maximum_pct is None else c.maximum_pct / 100
                    for s, c in commissions.items()
                }
            ),
            impact=_wide(market, {s: _impact(c, market, s) for s, c in own.items()}),
            limit=_wide(market, {s: _limit(c, market, s) for s, c in own.items()}),
            tiers=BySymbol((), {s: c.kinks for s, c in commissions.items() if c.kinks}),
            loan_per_year=self.loan_per_year,
            funding_to_open=to_open,
            funding_to_close=to_close,
        )

    def _check_spread(self, market: Market, symbol: str) -> None:
        """Refuses a spread that is estimated from prices which the bars do not have."""
        spread, bars = self._of(symbol).spread, market.bars_by_symbol[symbol]
        absent = [name for name in spread.required_columns if not has_values(bars, name)]
        if absent and len(bars):
            raise InvalidBarsError(
                "the costs estimate a spread from prices that the bars do not have",
                expected=f"bars with {', '.join(spread.required_columns)} for {spread.kind}",
                found=f"no {', '.join(absent)} of {symbol} at any bar",
                where=f"costs.spread of {symbol}",
                fix="give the spread by `spread: {kind: constant, half_bps: 5}` or another width, "
                "or choose a dataset with these prices by --data",
            )

    def _reads(self, name: str) -> bool:
        """Whether a table is of volumes."""
        if name == "limit":
            return self.max_participation is not None
        return self.impact is not None and self.impact.coefficient > 0

    def _of(self, symbol: str) -> ItemisedCosts:
        """The costs of one symbol."""
        named = self.by_symbol.get(symbol)
        if named is None:
            return self
        other = {name: getattr(named, name) for name in SymbolCosts.model_fields}
        return self.model_copy(
            update={name: value for name, value in other.items() if value is not None}
        )


def _unknown_volumes(market: Market, symbol: str) -> str:
    """Which volumes of a symbol's own bars are not known, where too many; otherwise empty."""
    (volume,), has_bar = (
        select_columns(market, symbol, "volume"),
        market.present[symbol].to_numpy(),
    )
    missing = np.isnan(volume[has_bar, 0])
    known = ~np.isnan(known_volume(market, symbol)[has_bar])
    zeros = ~missing & ~known & (np.logical_or.accumulate(known) | ~known.any())
    unknown = missing | (zeros if zeros.sum() > MOST_UNKNOWN_VOLUMES * len(zeros) else False)
    return (
        describe_unknown(symbol, unknown, market.present.index[has_bar]) if unknown.any() else ""
    )


def _impact(costs: ItemisedCosts, market: Market, symbol: str) -> float | Vector:
    if costs.impact is None or not costs._reads("impact"):
        return 0.0
    return costs.impact.of_one_unit(market, symbol)


def _limit(costs: ItemisedCosts, market: Market, symbol: str) -> float | Vector:
    if costs.max_participation is None:
        return np.inf
    (volume,) = select_columns(market, symbol, "volume")
    known = known_volume(market, symbol)
    units = fillable_units(known, costs.max_participation)
    silent = np.isnan(known) & ~np.isnan(volume[:, 0])
    began = np.logical_or.accumulate(~np.isnan(known))
    return np.where(silent & began, np.inf, units)


def fillable_units(volume: Vector, share: float) -> Vector:
    """What a bar can fill of an order: a share of its own volume, which nobody knows before.

    An order at the open does not know the volume of its bar, as it does not know whether anything
    will trade at it: the limit is what the market could take of it, and decides nothing.

    Args:
        volume: Units traded at each bar, shape (n,); NaN where it is not known.
        share: Of the volume.

    Returns:
        Units, shape (n,); 0 at a bar in which nothing traded, NaN where it is not known.
    """
    return share * volume


def _by_symbol(values: dict[str, float]) -> float | BySymbol[float]:
    first, *others = set(values.values())
    return BySymbol(first, values) if others else float(first)


def _wide(
    market: Market, values: dict[str, float | Vector]
) -> float | BySymbol[float] | WideFrame:
    """By symbol, or wide where one varies."""
    constant = {symbol: each for symbol, each in values.items() if isinstance(each, float)}
    if len(constant) == len(values):
        return _by_symbol(constant)
    index = market.wide("close").index
    columns = {symbol: np.broadcast_to(each, len(index)) for symbol, each in values.items()}
    return pd.DataFrame(columns, index=index)
