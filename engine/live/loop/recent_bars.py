"""What a bar loop keeps of the bars so far: as much as the next bar needs, and no history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import InvalidBarsError
from engine.data.bars import RANGE_COLUMNS, VALUE_COLUMNS, is_close_only
from engine.data.next_bar import BAR_NAMES, NextBar, require_tradable
from engine.data.traded_bars import TradedBars
from engine.live.loop.market_bars import place_in_time
from engine.live.loop.panel_state import PanelRecentRows, PanelRules, PanelState
from engine.live.loop.recent_costs import RecentCosts
from engine.live.loop.recent_rows import RecentRows
from engine.pipeline.feature_history import make_feature_stream
from engine.pipeline.schedules import bars_before_decision
from engine.pipeline.traded_symbols import has_own_inputs, resolve_targets
from engine.simulation.account import BarPrices, known_prices
from engine.splits.walk_forward import WindowClock
from engine.training.absent_inputs import blank_absent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame, WideFrame
    from engine.data import Market
    from engine.data.assembly import Assembly
    from engine.features.stream import FeatureStream, StreamedFeatures, StreamedRow
    from engine.features.stream_state import StreamState
    from engine.strategy import Strategy
    from engine.training.panel_rows import Absences


@dataclass(frozen=True, eq=False)
class StreamedStrategy:
    """How the bars of a strategy are read.

    Attributes:
        spec: The strategy.
        stream: Its features.
        symbols: Every symbol of the market.
        targets: Those that are traded.
        close_only: Those of which the source has closes alone.
        assembly: As of the market.
        unlisted: Those that had no bar yet, so that their first ones tell which prices they have.
    """

    spec: Strategy
    stream: FeatureStream
    symbols: tuple[str, ...]
    targets: tuple[str, ...]
    close_only: frozenset[str]
    assembly: Assembly | None = None
    unlisted: frozenset[str] = frozenset()

    @classmethod
    def of_market(cls, spec: Strategy, market: Market) -> StreamedStrategy:
        """The reading of bars of the same symbols and interval.

        Raises:
            UsageError: The target is not in the dataset, or a resolution is not coarser than its
                bars.
        """
        targets = resolve_targets(spec, market)
        own = market.bars_by_symbol
        found = frozenset(name for name, bars in own.items() if is_close_only(bars))
        unlisted = frozenset(name for name, bars in own.items() if bars.empty)
        stream = make_feature_stream(spec, market)
        return cls(spec, stream, market.symbols, targets, found, market.assembly, unlisted)

    def closes_alone(self, bar: NextBar) -> frozenset[str]:
        """Symbols whose bar may lack the other prices, where fills need none of them."""
        if not self.unlisted or self.spec.execution.price == "open":
            return self.close_only
        found = {
            name
            for name in self.unlisted & bar.values.keys()
            if all(isnan(bar.values[name][column]) for column in RANGE_COLUMNS)
        }
        return self.close_only | found

    def place_in_time(self, prices: BarPrices, bar: NextBar) -> BarPrices:
        """The prices of a bar, of a book on several exchanges with the instants of them."""
        if self.assembly is None:
            return prices
        return place_in_time(prices, self.assembly, bar.values, self.spec.execution.price)

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns of numbers that the bars must have."""
        return frozenset((*self.stream.required_columns, *VALUE_COLUMNS)) - BAR_NAMES

    @cached_property
    def closes_needed(self) -> int | None:
        """Closes that a decision needs; None is all of them."""
        return self.spec.decision_spec(periods_per_year=1.0).closes_needed

    @property
    def kept_rows(self) -> int:
        """Rows of features that a forecast may need."""
        return self.spec.forecasters()[STRATEGY_BOOK].lookback + self.spec.scaling.warmup


@dataclass(frozen=True, eq=False)
class RecentBars:
    """The state of a strategy's bars; no call changes it.

    Attributes:
        strategy: How they are read.
        stream: State of the features.
        rows: The newest rows of features.
        closes: The newest closes of the target symbols, as many as a decision needs; none where
            it needs those of the whole history.
        traded: Target symbol -> what says whether something trades at its next bar.
        clock: When the next window begins.
        first_bar: First bar of the history.
        feature_names: As `FeatureHistory.feature_names`.
        bar: The newest bar.
        costs: What itemised costs are estimated from; None of others.
        panel: The listings of the symbols, where they may lack bars.
    """

    strategy: StreamedStrategy
    stream: StreamState
    rows: RecentRows | PanelRecentRows
    closes: WideFrame
    traded: Mapping[str, TradedBars]
    clock: WindowClock
    first_bar: pd.Timestamp
    feature_names: tuple[str, ...]
    bar: NextBar
    costs: RecentCosts | None = None
    panel: PanelState | None = None

    @classmethod
    def of_history(cls, spec: Strategy, market: Market, first_test: pd.Timestamp) -> RecentBars:
        """After the bars of a history.

        Args:
            spec: The strategy.
            market: The history from its first bar on.
            first_test: First out-of-sample bar of a run; the history may end before it.

        Raises:
            UsageError: The target is not in the dataset, or a resolution is not coarser than its
                bars.
            InvalidBarsError: A feature is not finite past its warm-up.
        """
        strategy = StreamedStrategy.of_market(spec, market)
        stream, streamed = strategy.stream.update(None, market.present_bars)
        targets = strategy.targets
        closes = market.marks[list(targets)]
        stamps = pd.DatetimeIndex(closes.index)
        count = len(stamps) - int(stamps.searchsorted(first_test))
        panel = _panel_of_history(strategy, streamed, market)
        return cls(
            strategy,
            stream,
            _rows_of_history(strategy, streamed, market, panel),
            closes.tail(strategy.closes_needed or 0).copy(),
            {symbol: _traded_so_far(market, symbol) for symbol in targets},
            WindowClock.after(spec.windows.test, first_test, stamps[-1], count),
            stamps[0],
            _names_of(streamed),
            NextBar.of_bars(market.bars[market.bars["timestamp"] == stamps[-1]]),
            RecentCosts.of_history(spec, market, targets),
            panel,
        )

    @property
    def absences(self) -> Absences | None:
        """Symbols of a panel of which no forecast is due at the newest bar."""
        return None if self.panel is None else self.panel.absences

    @property
    def newest(self) -> pd.Timestamp:
        """The newest bar."""
        return self.stream.newest

    def append(
        self, bars: BarsFrame | NextBar, traded: Mapping[str, bool] | None = None
    ) -> tuple[RecentBars, BarPrices]:
        """The state after the bars of one timestamp, and the prices of the target symbols.

        Args:
            bars: Those of every symbol, in the order of the market.
            traded: Whether something traded, by symbol; by default what the volumes say.

        Raises:
            InvalidBarsError: A symbol or a column is missing, the bar is not later than the newest
                one, a price cannot be traded at, or a feature is not finite.
        """
        bar = self._read(bars)
        stream, row = self.strategy.stream.advance(self.stream, bar)
        prices, counters, moved = self._prices(bar, traded)
        panel = None
        if self.panel is not None:
            panel, settled = self.panel.advance(bar.timestamp, prices.close)
            named = {"settled": settled, "symbols": self.strategy.targets}
            prices = prices.with_values(**named)
        closes = (
            [prices.close[symbol] for symbol in self.strategy.targets]
            if panel is None
            else panel.marks
        )
        if isinstance(self.rows, PanelRecentRows):
            assert panel is not None
            rows: RecentRows | PanelRecentRows = self.rows.append(
                row, prices.close, panel.compared
            )
        else:
            rows = self.rows.append(self._without_absent(row), closes)
        following = RecentBars(
            self.strategy,
            stream,
            rows,
            self._append_closes(bar, closes),
            counters,
            self.clock.advance(bar.timestamp),
            self.first_bar,
            self.feature_names,
            bar,
            None if self.costs is None else self.costs.append(bar, moved),
            panel,
        )
        return following, prices

    def _without_absent(self, row: StreamedRow) -> StreamedRow:
        """The row; on a panel NaN in all features of a symbol that lacks one of them."""
        if self.panel is None:
            return row
        groups = _symbol_groups(self.strategy.stream)
        return replace(row, values=blank_absent(row.values[None], groups)[0])

    def _read(self, bars: BarsFrame | NextBar) -> NextBar:
        """The bar as numbers, checked."""
        bar = bars if isinstance(bars, NextBar) else NextBar.of_bars(bars)
        symbols, needed = self.strategy.symbols, self.strategy.columns
        if self.panel is not None:
            bar = bar.without_absences()
            symbols = tuple(symbol for symbol in symbols if symbol in bar.values)
        if (
            not symbols
            or tuple(bar.values) != symbols
            or not all(needed <= values.keys() for values in bar.values.values())
        ):
            raise InvalidBarsError(
                "the next bar is not complete",
                expected=f"a bar each of {', '.join(symbols)}, in this order, with the columns "
                f"{', '.join(sorted(needed))}",
                found=", ".join(
                    f"{symbol} with {', '.join(values)}" for symbol, values in bar.values.items()
                )
                or "no bar",
                where=f"bars of {bar.timestamp}",
                fix="call advance once a timestamp, with the bars of every symbol",
            )
        require_tradable(bar, self.strategy.closes_alone(bar))
        return bar

    def _prices(
        self, bar: NextBar, traded: Mapping[str, bool] | None
    ) -> tuple[BarPrices, dict[str, TradedBars], dict[str, bool]]:
        """Prices of the target symbols, their counters, and what their volumes say."""
        own = {
            symbol: bar.values[symbol] for symbol in self.strategy.targets if symbol in bar.values
        }
        counters, moved = dict(self.traded), {}
        for symbol, values in own.items():
            counters[symbol], moved[symbol] = self.traded[symbol].advance(
                volume=values["volume"],
                high=values["high"],
                low=values["low"],
                close=values["close"],
            )
        prices = BarPrices.of_checked(
            timestamp=bar.timestamp,
            open=known_prices({symbol: float(values["open"]) for symbol, values in own.items()}),
            close={symbol: float(values["close"]) for symbol, values in own.items()},
            traded=moved,
        )
        if traded is not None:
            prices = BarPrices.model_validate({**vars(prices), "traded": dict(traded)})
        return self.strategy.place_in_time(prices, bar), counters, moved

    def _append_closes(self, bar: NextBar, closes: list[float]) -> WideFrame:
        """The closes that a decision needs; none where it needs none, or all of them."""
        needed = self.strategy.closes_needed
        if not needed:
            return self.closes
        newest = pd.DataFrame([closes], bar.opens.rename("timestamp"), self.closes.columns)
        return pd.concat([self.closes, newest]).tail(needed).copy()


def _symbol_groups(stream: FeatureStream) -> list[range]:
    """Columns of each symbol."""
    width = len(stream.features)
    return [range(place * width, (place + 1) * width) for place in range(len(stream.symbols))]


def _rows_of_history(
    strategy: StreamedStrategy,
    streamed: StreamedFeatures,
    market: Market,
    panel: PanelState | None,
) -> RecentRows | PanelRecentRows:
    """The newest rows; of a panel those of each symbol."""
    spec, targets = strategy.spec, strategy.targets
    kept, horizon = strategy.kept_rows, spec.target.max_horizon
    if panel is None or spec.scope == "joint":
        if panel is not None:
            groups = _symbol_groups(strategy.stream)
            features = streamed.features
            blanked = replace(features, values=blank_absent(features.values, groups))
            streamed = replace(streamed, features=blanked)
        rows = RecentRows.empty(
            kept,
            horizon,
            targets,
            streamed,
            own_inputs=has_own_inputs(spec, targets),
            transform=spec.target.transform,
        )
        return rows.extend(streamed, market.wide("close")[list(targets)].to_numpy())
    columns = dict(streamed.features.symbol_columns)
    empty = {}
    for symbol in targets:
        own = replace(streamed, features=streamed.features.of_symbol(symbol))
        empty[symbol] = RecentRows.empty(kept, horizon, (symbol,), own)
    places = {symbol: slice(columns[symbol][0], columns[symbol][-1] + 1) for symbol in targets}
    newest = PanelRecentRows(empty, places, spec.target.transform, panel.compared)
    return newest.extend(streamed, market, panel.compared)


def _panel_of_history(
    strategy: StreamedStrategy, streamed: StreamedFeatures, market: Market
) -> PanelState | None:
    if not strategy.spec.is_panel:
        return None
    rules = PanelRules(
        strategy.targets,
        market.interval,
        bars_before_decision(strategy.spec, streamed.features) + 1,
        market.membership,
        market.delisting,
        strategy.spec.forecasters()[STRATEGY_BOOK].lookback
        if strategy.spec.scope == "joint"
        else 1,
    )
    return PanelState.of_history(rules, market)


def _names_of(streamed: StreamedFeatures) -> tuple[str, ...]:
    coarse = (name for part in streamed.coarse for name in part.features.names)
    return (*streamed.features.names, *coarse)


def _traded_so_far(market: Market, symbol: str) -> TradedBars:
    bars = market.bars_by_symbol[symbol]
    if bars.empty:
        return TradedBars()
    return TradedBars.of_history(
        *(bars[column].to_numpy() for column in ("volume", "high", "low", "close"))
    )
