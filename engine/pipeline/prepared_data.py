"""Bars, features, windows and interest rates of a run, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine import trials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import Vector, WideFrame
    from engine.data import Market
    from engine.data.rates import InterestRates, RatesByBar
    from engine.splits.walk_forward import (
        WalkForwardWindow,
    )
    from engine.strategy import Strategy
    from engine.training.feature_history import FeatureHistory


@dataclass(frozen=True)
class PreparedData:
    """Bars, features, windows and interest rates of a run: the same for every book.

    Attributes:
        market: The bars.
        targets: Symbols that are traded.
        feature_history: Features and returns of all bars.
        windows: Walk-forward windows; none where `rows` is given.
        rates: Interest rates over time.
        rows: The bars that are traded, where they are not those of the windows.
    """

    market: Market
    targets: tuple[str, ...]
    feature_history: FeatureHistory
    windows: tuple[WalkForwardWindow, ...]
    rates: InterestRates
    rows: range | None = None

    @cached_property
    def target_close(self) -> WideFrame:
        """Closes of the target symbols, all bars; of a panel `Market.marks`."""
        if self.market.has_absences:
            return self.market.marks[list(self.targets)]
        return self.market.wide("close", self.targets)

    @property
    def eligible(self) -> WideFrame | None:
        """Symbols of a panel that are listed and members, all bars; None where all always are."""
        if not self.market.is_panel:
            return None
        return (self.market.listed & self.market.members)[list(self.targets)]

    @cached_property
    def traded(self) -> WideFrame:
        """Whether something traded at each out-of-sample bar of the target symbols."""
        traded = self.market.traded
        places = [self.market.symbols.index(symbol) for symbol in self.targets]
        chosen = traded.to_numpy()[self.tested][:, places]
        return pd.DataFrame(chosen, traded.index[self.tested], traded.columns[places])

    def fill_lags(self, spec: Strategy) -> WideFrame | None:
        """Bars from each out-of-sample close to the first that can be filled, see `Market`.

        Args:
            spec: The strategy, whose orders are filled at the open or the close.
        """
        lags = self.market.fill_lags(spec.execution.price)
        return None if lags is None else lags[list(self.targets)].iloc[self.tested]

    @cached_property
    def settlements(self) -> WideFrame | None:
        """Where a target symbol is paid out at the out-of-sample bars; None where none may be."""
        if not self.market.has_absences:
            return None
        return self.market.settlements[list(self.targets)].iloc[self.tested]

    def train_returns(self, horizon: int) -> Iterator[tuple[int, list[Vector]]]:
        """Of each window the number of test rows, and each symbol's returns of its train rows.

        A symbol of a panel that has none has those of all symbols together.
        """
        history = self.feature_history
        ahead, panel = history.forward_returns[horizon].to_numpy(), history.panel
        for window in self.windows:
            if panel is None:
                own = [*ahead[window.train.start : window.train.stop].T]
            else:
                own = [
                    ahead[panel.place(symbol, panel.split(symbol, window).train), place]
                    for place, symbol in enumerate(self.targets)
                ]
                own = [each if len(each) else np.concatenate(own) for each in own]
            yield len(window.test), own

    @cached_property
    def rates_by_bar(self) -> RatesByBar:
        """The rates that are known at the open of each out-of-sample bar."""
        return self.rates.on_bars(self.span)

    @property
    def tested(self) -> slice:
        """Rows of the out-of-sample bars."""
        if self.rows is not None:
            return slice(self.rows.start, self.rows.stop)
        return slice(self.windows[0].test.start, self.windows[-1].test.stop)

    @cached_property
    def span(self) -> pd.DatetimeIndex:
        """The out-of-sample bars."""
        return self.feature_history.features.timestamps[self.tested]

    def wide(self, column: str) -> WideFrame:
        """A price at the out-of-sample bars, a column a target symbol; see `Market.tradable`."""
        if self.market.has_absences:
            return self.market.tradable(column)[list(self.targets)].iloc[self.tested]
        return self.market.wide(column, self.targets).iloc[self.tested]

    def on_rows(self, rows: range) -> PreparedData:
        """The same bars, features and rates, traded on other bars and without windows."""
        return replace(self, windows=(), rows=rows)

    def with_market(self, market: Market) -> PreparedData:
        """The same features, windows and rates beside other bars at the same times."""
        other = replace(self, market=market)
        vars(other).update(span=self.span, rates_by_bar=self.rates_by_bar)
        return other

    def to_data_scope(self) -> trials.DataScope:
        """The bars of the run, as the trial ledger keeps them."""
        rates = self.rates_by_bar.to_frame()
        return trials.DataScope(
            dataset=self.market.provenance,
            targets=self.targets,
            inputs=tuple(symbol for symbol, _ in self.feature_history.features.symbol_columns),
            span=self.span,
            periods_per_year=self.market.periods_per_year,
            opening=trials.hash_opening(
                self.target_close.loc[self.span].to_numpy(), rates.to_numpy()
            ),
        )
