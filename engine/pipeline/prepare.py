"""Bars, features and windows of a run: the same for every book."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine import trials
from engine.core.errors import InvalidBarsError, UsageError
from engine.core.types import PRICE_COLUMNS
from engine.data import MAX_PRICE, MIN_PRICE
from engine.features.build import build_features
from engine.features.resolutions import CoarseFeatures, build_coarse_features
from engine.features.stream import FeatureStream
from engine.features.target import forward_returns
from engine.splits.walk_forward import WalkForwardWindow, make_walk_forward_windows
from engine.training.datasets import FeatureHistory

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.strategy import Strategy


@dataclass(frozen=True)
class PreparedData:
    """Bars, features and windows of a run: the same for every book."""

    market: Market
    targets: tuple[str, ...]
    feature_history: FeatureHistory
    windows: tuple[WalkForwardWindow, ...]

    @cached_property
    def target_close(self) -> WideFrame:
        """Closes of the target symbols, all bars."""
        return self.market.wide("close")[list(self.targets)]

    @property
    def span(self) -> pd.DatetimeIndex:
        """The out-of-sample bars."""
        rows = slice(self.windows[0].test.start, self.windows[-1].test.stop)
        return self.feature_history.features.timestamps[rows]

    def to_data_scope(self) -> trials.DataScope:
        """The bars of the run, as the trial ledger keeps them."""
        return trials.DataScope(
            dataset=self.market.provenance,
            targets=self.targets,
            inputs=tuple(symbol for symbol, _ in self.feature_history.features.symbol_columns),
            span=self.span,
            periods_per_year=self.market.periods_per_year,
        )


def prepare_data(spec: Strategy, market: Market) -> PreparedData:
    """Features, targets and windows, the same for every book.

    Raises:
        UsageError: The target is not in the dataset, a resolution is not coarser than its bars,
            not one window fits, or a split within one would be empty.
        InvalidBarsError: The bars are not in the order of time, a symbol lacks one or has it
            twice, or a price is not a number between `MIN_PRICE` and `MAX_PRICE`.
    """
    _check_order(market)
    _check_scale(market)
    targets = (_resolve_target(spec, market),)
    close = market.wide("close")[list(targets)]
    symbols = _input_symbols(spec, market)
    features = build_features(market, spec.features, symbols)
    history = FeatureHistory(
        features=features,
        forward_returns={
            bars: forward_returns(close, bars) for bars in spec.target.return_horizons
        },
        trailing_returns={bars: close.pct_change(bars) for bars in spec.target.return_horizons},
        target=spec.target,
        scaling=spec.scaling,
        coarse=tuple(
            build_coarse_features(market, interval, spec.features, symbols)
            for interval in spec.resolutions
        ),
    )
    lookback = max(model.lookback for model in spec.forecasters().values())
    warmup = history.features.warmup + spec.scaling.warmup + lookback - 1
    windows = make_walk_forward_windows(
        history.features.timestamps,
        spec.windows,
        first_row=max(
            warmup,
            spec.target.max_horizon,
            *(_first_row_with_lookback(part, history, lookback) for part in history.coarse),
        ),
        horizon=spec.target.max_horizon,
    )
    if spec.tune is not None:
        for window in windows:  # a split without rows is an error before any training
            spec.tune.split_rows(len(window.train), spec.target.max_horizon)
    return PreparedData(market, targets, history, windows)


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


def _check_scale(market: Market) -> None:
    """Whether every price is one at which an order can be filled."""
    prices = market.bars[list(PRICE_COLUMNS)].to_numpy()
    unfit = ~((prices >= MIN_PRICE) & (prices <= MAX_PRICE)).all(axis=1)
    if unfit.any():
        first = market.bars.iloc[int(unfit.argmax())]
        values = ", ".join(f"{name} {first[name]:g}" for name in PRICE_COLUMNS)
        raise InvalidBarsError(
            f"{int(unfit.sum())} bars have a price that cannot be simulated",
            expected=f"prices between {MIN_PRICE:g} and {MAX_PRICE:g}",
            found=f"{first['symbol']} at {first['timestamp']}: {values}",
            where="bars of the market",
            fix="use another unit of money, which changes no return: `quality: {price_scale: "
            "repair}` in the dataset multiplies all prices of a symbol by one factor",
        )


def _input_symbols(spec: Strategy, market: Market) -> tuple[str, ...]:
    return market.symbols if spec.inputs == "all" else (_resolve_target(spec, market),)


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
