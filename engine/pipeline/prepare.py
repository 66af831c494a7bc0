"""Bars, features and windows of a run: the same for every book."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import InvalidBarsError, UsageError
from engine.data.rates import load_rates
from engine.pipeline.portfolio_needs import check_portfolio
from engine.pipeline.price_needs import check_prices
from engine.simulation.cost_rates import OF_VOLUMES

if TYPE_CHECKING:
    from engine.data import Market
    from engine.data.rates import InterestRates
    from engine.strategy import Strategy
from engine.pipeline.feature_history import build_history
from engine.pipeline.prepared_data import PreparedData
from engine.pipeline.schedules import make_windows
from engine.pipeline.traded_symbols import resolve_targets


def prepare_data(
    spec: Strategy, market: Market, rates: InterestRates | None = None
) -> PreparedData:
    """Features, targets and windows, the same for every book.

    Args:
        spec: The strategy.
        market: Its bars.
        rates: Interest rates over time, instead of reading those of the strategy.

    Raises:
        UsageError: The target is not in the dataset, a resolution is not coarser than its bars,
            not one window fits, or a split within one would be empty; or a rate cannot be read,
            or is not known at the first out-of-sample bar; or the costs name a symbol that the
            dataset does not have, or need a capital that is not given; or the portfolio needs more
            symbols or closes than there are; or a feature or the fills need a column that the bars
            do not have.
        InvalidBarsError: The bars are not in the order of time, a symbol lacks one or has it
            twice, or a price is not a number between `MIN_PRICE` and `MAX_PRICE`; or the costs are
            of volumes, which the target does not have, or funding rates are missing.
        ContractError: The costs of a user's model break its contract.
    """
    _check_order(market)
    targets = resolve_targets(spec, market)
    check_prices(market, targets, spec.execution.price)
    history = build_history(spec, market)
    windows = make_windows(spec, history, Fraction(0))
    spec.costs.check_market(market, targets)
    prepared = PreparedData(market, targets, history, windows, rates or load_rates(spec.rates))
    check_portfolio(spec, market, targets, first=prepared.tested.start)
    prepared.rates.require_known(prepared.span[0])  # before any training
    _check_costs(spec, prepared)
    _check_waiting(spec, prepared)
    return prepared


def _check_waiting(spec: Strategy, prepared: PreparedData) -> None:
    """Refuses what is not offered where orders wait for another exchange; before any training."""
    margin, costs = spec.execution.maintenance_margin, spec.bind_costs(prepared.market)
    limited = not isinstance(costs.rates.limit, float) or costs.rates.limit < np.inf
    if (margin is None and not limited) or prepared.fill_lags(spec) is None:
        return
    raise UsageError(
        "margin calls and caps of participation are not offered for a book some of whose "
        "sessions open before the last close of the date before",
        expected="neither execution.maintenance_margin nor costs.max_participation, or symbols "
        "whose next session opens after that close",
        found=f"maintenance_margin: {margin:g}" if margin is not None else "max_participation",
        where="execution, costs",
        fix="leave it out, or trade the symbols in two strategies",
    )


def _check_costs(spec: Strategy, prepared: PreparedData) -> None:
    """Whether the costs can be charged at every bar that is traded; before any training."""
    spec.costs.check_span(prepared.market, prepared.targets, prepared.span)
    bound = spec.bind_costs(prepared.market)
    for name in OF_VOLUMES:
        bound.rates.aligned(name, prepared.target_close.loc[prepared.span])


def _check_order(market: Market) -> None:
    """Whether every symbol has a row at every timestamp, once and in the order of time.

    A symbol of a panel may have no bar in its row.
    """
    first, *others = stamps = [bars.index for bars in market.bars_by_symbol.values()]
    if market.is_regular and market.has_absences:
        first, others = market.present.index, []
    if not (first.is_monotonic_increasing and first.is_unique) or not all(
        first.equals(other) for other in others
    ):
        raise InvalidBarsError(
            "the bars of a market are not complete, or not in the order of time",
            expected=f"ascending timestamps, at each one bar of {', '.join(market.symbols)}",
            found=f"{', '.join(str(len(each)) for each in stamps)} bars",
            where="bars of the market",
            fix="sort them by timestamp, and leave out those that not every symbol has",
        )
