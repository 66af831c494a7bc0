"""Bars, features and windows of a run: the same for every book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from engine import trials
from engine.core.errors import InvalidBarsError, UsageError
from engine.data.rates import load_rates
from engine.features.build import build_features
from engine.features.resolutions import CoarseFeatures, build_coarse_features
from engine.features.stream import FeatureStream
from engine.features.target import forward_returns, trailing_returns
from engine.pipeline.portfolio_needs import check_portfolio
from engine.pipeline.price_needs import check_prices
from engine.simulation.cost_rates import OF_VOLUMES
from engine.splits.walk_forward import (
    WalkForwardWindow,
    first_test_row,
    make_walk_forward_windows,
)
from engine.training.datasets import FeatureHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import WideFrame
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
        """Closes of the target symbols, all bars."""
        return self.market.wide("close", self.targets)

    @cached_property
    def traded(self) -> WideFrame:
        """Whether something traded at each out-of-sample bar of the target symbols."""
        traded = self.market.traded
        places = [self.market.symbols.index(symbol) for symbol in self.targets]
        chosen = traded.to_numpy()[self.tested][:, places]
        return pd.DataFrame(chosen, traded.index[self.tested], traded.columns[places])

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
        """One column of the out-of-sample bars, a column a target symbol."""
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
            of volumes, which the target does not have.
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
    return prepared


def _check_costs(spec: Strategy, prepared: PreparedData) -> None:
    """Whether the costs can be charged at every bar that is traded; before any training."""
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
    return FeatureHistory(
        features=build_features(market, spec.features, symbols),
        forward_returns={b: spec.target.relate(forward_returns(close, b)) for b in horizons},
        trailing_returns={b: spec.target.relate(trailing_returns(close, b)) for b in horizons},
        target=spec.target,
        scaling=spec.scaling,
        coarse=tuple(
            build_coarse_features(market, interval, spec.features, symbols)
            for interval in spec.resolutions
        ),
        own_inputs=has_own_inputs(spec, targets),
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
    first_row = first_usable_row(spec, history)

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
        history.features.warmup + spec.scaling.warmup + lookback - 1,
        spec.target.max_horizon,
        *(_first_row_with_lookback(part, history, lookback) for part in history.coarse),
    )


def _make_windows(
    spec: Strategy, history: FeatureHistory, delay: Fraction
) -> tuple[WalkForwardWindow, ...]:
    """The windows of one schedule."""
    windows = make_walk_forward_windows(
        history.features.timestamps,
        spec.windows,
        first_row=first_usable_row(spec, history),
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
    )


def _check_order(market: Market) -> None:
    """Whether every symbol has a bar at every timestamp, once and in the order of time."""
    first, *others = stamps = [bars.index for bars in market.bars_by_symbol.values()]
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
