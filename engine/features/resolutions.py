"""Features at coarser intervals, and the coarse bars that are complete at each close."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import UsageError
from engine.data import ALWAYS_OPEN, periods_per_year
from engine.data.bar_grid import make_bar_grid, microseconds_to_timestamps
from engine.data.intervals import divides
from engine.data.resampling import ResamplingBins, aggregate_bars
from engine.features.build import FeatureMatrix, build_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector
    from engine.data import BarInterval, Market
    from engine.features.config import Feature


@dataclass(frozen=True, eq=False)
class CoarseFeatures:
    """Features of one coarser interval, and those known at each base bar.

    Attributes:
        interval: Length of a coarse bar.
        features: Features of its complete bars, oldest first; names such as `BTC-USD:1w:rsi_14`.
        latest: (n,), one per base bar: position of the newest coarse bar that is complete at its
            close; -1 where there is none yet.
    """

    interval: BarInterval
    features: FeatureMatrix
    latest: IntVector


def build_coarse_features(
    market: Market, interval: BarInterval, features: Sequence[Feature], symbols: Sequence[str]
) -> CoarseFeatures:
    """Computes each feature of each symbol on the bars of a coarser interval.

    Args:
        market: Checked bars.
        interval: Longer than the market's.
        features: At least one, without repetition.
        symbols: Symbols of the market, in the order of the groups.

    Raises:
        UsageError: As in `resample_market` and `build_features`.
        InvalidBarsError: As in `build_features`.
    """
    coarse, latest = resample_market(market, interval)
    built = build_features(coarse, features, symbols)
    return label_coarse_features(interval, built, latest)


def label_coarse_features(
    interval: BarInterval, built: FeatureMatrix, latest: IntVector
) -> CoarseFeatures:
    """Features of coarse bars, with the interval in their names."""
    names = tuple(
        f"{symbol}:{interval}{built.names[column].removeprefix(symbol)}"
        for symbol, columns in built.symbol_columns
        for column in columns
    )
    return CoarseFeatures(interval, replace(built, names=names), latest)


def resample_market(market: Market, interval: BarInterval) -> tuple[Market, IntVector]:
    """The complete bars of a coarser interval, and the newest of them at each base bar's close.

    Coarse bars are labelled by their open, in UTC: months begin on their first days, weeks on
    Mondays, shorter intervals at their multiples from midnight. One takes the first open, the
    highest high, the lowest low, the last close and the sum of volumes of the base bars that open
    in it. It is complete at the first base bar that closes at or after its end, so a week of
    stocks is complete at the close of the next week's first session. There is no coarse bar
    without a base bar, no first one unless the base bars begin with it, and none that is
    incomplete at the end.

    Args:
        market: Checked bars, in time order.
        interval: Longer than the market's, and a multiple of it.

    Returns:
        The market at that interval (its identity is still that of the base bars), and (n,), one
        per base timestamp: position of the newest coarse bar complete at its close, -1 where there
        is none yet.

    Raises:
        UsageError: The interval is not a longer multiple of the market's.
    """
    check_coarser(interval, market.interval)
    own = [market.bars[market.bars["symbol"] == symbol] for symbol in market.symbols]
    # Exchange hours are not used: a calendar only predicts future bars.
    grid = make_bar_grid(own[0]["timestamp"], market.interval, interval, ALWAYS_OPEN)
    bins = ResamplingBins.from_grid(grid)
    labels = microseconds_to_timestamps(grid.labels[bins.interval_index])
    bars = pd.concat([aggregate_bars(bars, bins, labels) for bars in own], ignore_index=True)
    coarse = replace(
        market,
        bars=bars.sort_values("timestamp", kind="stable", ignore_index=True),
        interval=interval,
        periods_per_year=periods_per_year(market.calendar, interval),
    )
    return coarse, bins.latest_complete


def check_coarser(interval: str, base: str) -> None:
    """Refuses an interval that is not a longer multiple of the bars' own.

    Raises:
        UsageError: It is not.
    """
    if not divides(base, interval):
        raise UsageError(
            "A resolution is not coarser than the bars",
            expected=f"whole multiples of {base}, the dataset's interval",
            found=interval,
            where="resolutions",
            fix=f"remove {interval}, or use a dataset of shorter bars",
        )
