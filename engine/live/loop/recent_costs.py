"""The bars that itemised costs are estimated from, as many as the newest bar needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bars import VALUE_COLUMNS
from engine.simulation.cost_rates import OF_VOLUMES
from engine.simulation.itemised_costs import ItemisedCosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BoolMatrix, Matrix
    from engine.data import Market
    from engine.data.next_bar import NextBar
    from engine.simulation.costs import TradingCosts
    from engine.strategy import Strategy


@dataclass(frozen=True, eq=False)
class RecentCosts:
    """The newest bars of the target symbols; no call changes it.

    What a bar is charged is a mean over the windows before it, added up in one order wherever the
    history begins: of `ItemisedCosts.bars_needed` bars it is that of all of them, bit for bit.

    Attributes:
        spec: The strategy; its costs are itemised and charge no funding.
        market: The bars.
        traded: Whether something traded at each, by the volumes of all bars, shape (n, k).
        count: Bars that are kept.
    """

    spec: Strategy
    market: Market
    traded: BoolMatrix
    count: int

    @classmethod
    def of_history(
        cls, spec: Strategy, market: Market, targets: tuple[str, ...]
    ) -> RecentCosts | None:
        """After the bars of a history; None of costs that are not estimated so, and of a panel."""
        costs = spec.costs
        if not isinstance(costs, ItemisedCosts) or costs.charges_funding or spec.is_panel:
            return None
        count = costs.bars_needed
        traded = market.traded[list(targets)].to_numpy()[-count:]
        values = np.stack(
            [market.wide(name, targets).to_numpy()[-count:] for name in VALUE_COLUMNS], axis=-1
        )
        stamps = pd.DatetimeIndex(market.wide("close").index)[-count:]
        chosen = market.bars["symbol"].isin(targets)
        kept = replace(market, symbols=targets, bars=market.bars[chosen])
        return cls(spec, _fill(kept, stamps, values), traded, count)

    def append(self, bar: NextBar, traded: Mapping[str, bool]) -> RecentCosts:
        """After one more bar.

        Args:
            bar: Of every symbol.
            traded: Target symbol -> what the volumes say.
        """
        count, symbols = self.count, self.market.symbols
        columns = [self.market.bars[name].to_numpy() for name in VALUE_COLUMNS]
        before = np.stack(columns, axis=-1).reshape(-1, len(symbols), len(VALUE_COLUMNS))
        own = np.array([[[bar.values[s][name] for name in VALUE_COLUMNS] for s in symbols]])
        before_it = pd.DatetimeIndex(self.market.bars["timestamp"].iloc[:: len(symbols)])
        stamps = pd.DatetimeIndex([*before_it, bar.timestamp])[-count:].as_unit(before_it.unit)
        values = np.concatenate([before, own])[-count:]
        said = np.concatenate([self.traded, [[traded[symbol] for symbol in symbols]]])[-count:]
        return RecentCosts(self.spec, _fill(self.market, stamps, values), said, count)

    def bind(self) -> TradingCosts | None:
        """The costs at the newest bar; None where these bars do not say them.

        Where nothing traded in a whole window, the last volume above 0 is further back.
        """
        market = replace(self.market)
        stamps, names = market.wide("close").index, list(market.symbols)
        vars(market)["traded"] = pd.DataFrame(self.traded, stamps, names)
        bound = self.spec.bind_costs(market)
        for name in OF_VOLUMES:
            rate = getattr(bound.rates, name)
            if isinstance(rate, pd.DataFrame) and rate.iloc[-1].isna().any():
                return None
        return bound


def _fill(market: Market, stamps: pd.DatetimeIndex, values: Matrix) -> Market:
    """Bars of the symbols of a market: (n, k, 5) values at n times."""
    symbols = list(market.symbols)
    bars = pd.DataFrame(values.reshape(-1, len(VALUE_COLUMNS)), columns=list(VALUE_COLUMNS))
    bars.insert(0, "timestamp", stamps.repeat(len(symbols)))
    bars.insert(1, "symbol", pd.Series(symbols * len(stamps), dtype="str"))
    return replace(market, bars=bars)
