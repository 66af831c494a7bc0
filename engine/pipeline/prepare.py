"""Bars, features and windows of a run: the same for every book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine import trials
from engine.core.errors import InvalidBarsError, UsageError
from engine.data.rates import load_rates
from engine.features.build import FeatureMatrix, build_features
from engine.features.resolutions import CoarseFeatures, build_coarse_features
from engine.features.stream import FeatureStream
from engine.features.target import forward_returns, over_own_bars, trailing_returns
from engine.pipeline.portfolio_needs import check_portfolio
from engine.pipeline.price_needs import check_prices
from engine.simulation.cost_rates import OF_VOLUMES
from engine.splits.walk_forward import (
    WalkForwardWindow,
    first_test_row,
    make_walk_forward_windows,
)
from engine.training.datasets import FeatureHistory
from engine.training.panel_rows import PanelRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.core.types import Vector, WideFrame
    from engine.data import Market
    from engine.data.rates import InterestRates, RatesByBar
    from engine.strategy import Strategy

MIN_COMMON_BARS = 30
"""Fewest bars that the schedules of `paths` must have in common: fewer have no inference."""


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
    windows = _make_windows(spec, history, Fraction(0))
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


def build_history(spec: Strategy, market: Market) -> FeatureHistory:
    """Features and returns of all bars: `prepare_data` without windows.

    Args:
        spec: The strategy.
        market: Its bars, complete and in the order of time.

    Raises:
        UsageError: The target is not in the dataset, or a resolution is not coarser than its bars,
            or symbols are to be compared and there is one.
        InvalidBarsError: A feature is not finite past its warm-up.
    """
    targets = resolve_targets(spec, market)
    _check_compared(spec, targets)
    close = market.wide("close", targets)
    symbols = _input_symbols(spec, market)
    horizons = spec.target.return_horizons
    ahead, behind = (
        over_own_bars(function) if market.has_absences else function
        for function in (forward_returns, trailing_returns)
    )
    history = FeatureHistory(
        features=build_features(market, spec.features, symbols),
        forward_returns={bars: spec.target.relate(ahead(close, bars)) for bars in horizons},
        trailing_returns={bars: spec.target.relate(behind(close, bars)) for bars in horizons},
        target=spec.target,
        scaling=spec.scaling,
        coarse=tuple(
            build_coarse_features(market, interval, spec.features, symbols)
            for interval in spec.resolutions
        ),
        own_inputs=has_own_inputs(spec, targets) or (market.is_panel and spec.is_panel),
    )
    if not market.is_panel:
        return history
    _require_own_bars(spec)
    first = first_usable_row(spec, history)
    present, members, listed = (
        wide[list(targets)] for wide in (market.present, market.members, market.listed)
    )
    decided = bars_before_decision(spec, history.features)
    rows = PanelRows(present, members, listed, first, decided, max(horizons))
    return replace(history, panel=rows)


def _require_own_bars(spec: Strategy) -> None:
    """Refuses a panel for a strategy whose rows need bars of several symbols at once."""
    if not spec.is_panel:
        raise UsageError(
            "the strategy does not take a market whose symbols lack bars",
            expected="several `data.targets`, `inputs: target`, no resolution and no feature of "
            "several symbols; or bars of every symbol at each timestamp",
            found=f"symbols without bars at some timestamps, and `inputs: {spec.inputs}`",
            where="data",
            fix="load the bars with engine.load_market(strategy), which joins them where needed",
        )


def _check_compared(spec: Strategy, targets: Sequence[str]) -> None:
    """Whether there are symbols to compare, where the target or the model does."""
    where = "target.transform" if spec.target.compares_symbols else "scope"
    if len(targets) < 2 and (spec.target.compares_symbols or spec.scope == "joint"):
        raise UsageError(
            "the strategy compares target symbols, and there is one",
            expected="two target symbols or more",
            found=", ".join(targets),
            where=where,
            fix="trade more symbols (data.targets), or leave it out",
        )


def prepare_delayed_data(spec: Strategy, prepared: PreparedData) -> tuple[PreparedData, ...]:
    """The same bars and features with the windows of each further schedule of `spec.paths`.

    Args:
        spec: The strategy.
        prepared: Of the run itself.

    Returns:
        One for each offset from 1 on, in the order of their starts; () with one schedule.

    Raises:
        UsageError: The schedules do not differ, or have too few bars in common.
    """
    offsets = spec.paths.offsets
    delayed = tuple(
        replace(
            prepared,
            windows=_make_windows(spec, prepared.feature_history, Fraction(number, offsets)),
        )
        for number in range(1, offsets)
    )
    starts = [each.windows[0].test.start for each in (prepared, *delayed)]
    if len(set(starts)) < offsets:
        most = _most_schedules(spec, prepared, offsets - 1)
        raise UsageError(
            "two schedules of windows have the same start",
            expected=f"at most {most}, which have different starts with windows.test: "
            f"{spec.windows.test}",
            found=f"{offsets} schedules with {len(set(starts))} different starts",
            where="paths.offsets",
            fix=f"set paths.offsets to {most}, or raise windows.test",
        )
    common = prepared.windows[-1].test.stop - starts[-1]
    if offsets > 1 and common < MIN_COMMON_BARS:
        raise UsageError(
            "the schedules of windows have too few bars in common",
            expected=f"at least {MIN_COMMON_BARS} bars after the start of the last schedule",
            found=f"{common} bars",
            where="paths.offsets",
            fix="lower windows.test, or take a longer history",
        )
    return delayed


def _most_schedules(spec: Strategy, prepared: PreparedData, below: int) -> int:
    """The largest number of schedules, up to `below`, that differ and share enough bars."""
    history, end = prepared.feature_history, prepared.windows[-1].test.stop
    first_row = _first_window_row(spec, history)

    def fits(count: int) -> bool:
        starts = [
            first_test_row(
                history.features.timestamps,
                spec.windows,
                first_row=first_row,
                horizon=spec.target.max_horizon,
                delay=Fraction(number, count),
            )
            for number in range(count)
        ]
        return len(set(starts)) == count and end - starts[-1] >= MIN_COMMON_BARS

    return next((count for count in range(below, 1, -1) if fits(count)), 1)


def first_usable_row(spec: Strategy, history: FeatureHistory) -> int:
    """The first row after warm-up and the longest lookback of all models."""
    lookback = max(model.lookback for model in spec.forecasters().values())
    return max(
        bars_before_use(spec, history.features),
        *(_first_row_with_lookback(part, history, lookback) for part in history.coarse),
        0,
    )


def bars_before_use(spec: Strategy, features: FeatureMatrix) -> int:
    """Bars before the first row that a model may see, of the bars' own interval."""
    lookback = max(model.lookback for model in spec.forecasters().values())
    return max(features.warmup + spec.scaling.warmup + lookback - 1, spec.target.max_horizon)


def bars_before_decision(spec: Strategy, features: FeatureMatrix) -> int:
    """Bars of a symbol of a panel before the first that is forecast and decided."""
    closes = spec.decision_spec(periods_per_year=1.0).closes_needed or 1
    return max(bars_before_use(spec, features), closes - 1)


def _first_window_row(spec: Strategy, history: FeatureHistory) -> int:
    """The first row that the windows may have: of a panel, that of its earliest symbol.

    Raises:
        UsageError: No symbol of a panel has bars enough.
    """
    if history.panel is None:
        return first_usable_row(spec, history)
    first, own = history.panel.first, history.panel.rows_by_symbol
    if max(len(rows) for rows in own.values()) <= first:
        raise UsageError(
            "no symbol has bars enough for one row",
            expected=f"more than {first} bars of a symbol, for its features and a lookback",
            found=", ".join(f"{symbol} {len(rows)}" for symbol, rows in own.items()),
            where="features, lookback",
            fix="shorten the features or the lookback, or take a longer history",
        )
    return min(int(rows[first]) for rows in own.values() if len(rows) > first)


def _make_windows(
    spec: Strategy, history: FeatureHistory, delay: Fraction
) -> tuple[WalkForwardWindow, ...]:
    """The windows of one schedule."""
    windows = make_walk_forward_windows(
        history.features.timestamps,
        spec.windows,
        first_row=_first_window_row(spec, history),
        horizon=spec.target.max_horizon,
        delay=delay,
    )
    if spec.tune is not None:
        for window in windows:  # a split without rows is an error before any training
            spec.tune.split_rows(len(window.train), spec.target.max_horizon)
    return windows


def make_feature_stream(spec: Strategy, market: Market) -> FeatureStream:
    """The streaming form of the features of `prepare_data`, for bars of the same symbols.

    Args:
        spec: The strategy.
        market: Its bars; only their symbols and interval are used.

    Raises:
        UsageError: The target is not in the dataset, or a resolution is not coarser than its bars.
    """
    return FeatureStream(
        spec.features,
        market.symbols,
        _input_symbols(spec, market),
        market.interval,
        spec.resolutions,
        gaps=spec.is_panel,
    )


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


def has_own_inputs(spec: Strategy, targets: Sequence[str]) -> bool:
    """Whether the model of a symbol sees fewer features than there are: its own alone."""
    return spec.inputs == "target" and len(targets) > 1


def _input_symbols(spec: Strategy, market: Market) -> tuple[str, ...]:
    return market.symbols if spec.inputs == "all" else resolve_targets(spec, market)


def _first_row_with_lookback(
    coarse: CoarseFeatures, history: FeatureHistory, lookback: int
) -> int:
    """The first row that is preceded by a whole sequence of coarse bars."""
    scaling = history.scaling.warmup
    needed = coarse.features.warmup + scaling + lookback
    row = int(coarse.latest.searchsorted(needed - 1))
    if row < len(coarse.latest):
        return row
    raise UsageError(
        f"There are too few {coarse.interval} bars",
        expected=f"at least {needed} complete ones: {coarse.features.warmup} to warm up the "
        f"features, {scaling} for the scaling, {lookback} for a lookback",
        found=f"{coarse.latest[-1] + 1} in {len(coarse.latest)} bars",
        where="resolutions",
        fix=f"leave {coarse.interval} out, shorten the features or the lookback, or take a longer "
        "history",
    )


def resolve_targets(spec: Strategy, market: Market) -> tuple[str, ...]:
    """The symbols that are traded, in the order of the market.

    Raises:
        UsageError: One is not in the dataset.
    """
    targets = spec.data.targets
    if targets is None:
        return (_resolve_target(spec, market),)
    if targets == "all":
        return market.symbols
    missing = [symbol for symbol in targets if symbol not in market.symbols]
    known = tuple(symbol for symbol in market.symbols if symbol in targets)
    if missing and not market.provenance["offline"]:
        raise UsageError(
            "a target is not in the dataset",
            expected=f"symbols of {', '.join(market.symbols)}",
            found=", ".join(missing),
            where="data.targets",
            fix=f"leave {', '.join(missing)} out, or add it to the dataset",
        )
    # A list of one symbol is the run of that `target`, offline too.
    return known or (market.symbols if len(targets) > 1 else market.symbols[:1])


def _resolve_target(spec: Strategy, market: Market) -> str:
    target = spec.data.target
    if target in market.symbols:
        return target
    null = [symbol for symbol in market.symbols[1:] if symbol.lower() == "null"]
    if target is None and null:  # YAML reads an unquoted `target: NULL` as no target
        raise UsageError(
            "the target is not given, and the dataset has a symbol that YAML reads as nothing",
            expected=f"one of {', '.join(market.symbols)}",
            found="no target",
            where="data.target",
            fix=f'write `target: "{null[0]}"` in quotes, or `target: {market.symbols[0]}`',
        )
    if target is None or market.provenance["offline"]:
        return market.symbols[0]
    raise UsageError(
        "the target is not in the dataset",
        expected=f"one of {', '.join(market.symbols)}",
        found=target,
        where="data.target",
        fix=f"choose one of them, or add {target} to the dataset",
    )
