"""`scripts/bench features`: seconds that every feature takes on a long history of minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.table import Table

from engine.data import Market
from engine.features.build import build_features
from engine.features.config import FEATURE_KINDS, CalendarFeature
from engine.features.cross_asset import CrossAsset
from engine.features.resolutions import build_coarse_features

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from engine.features.base import FeatureSpec

SYMBOLS = ("AAA", "BBB")
COARSE_INTERVALS = ("5m", "1h", "1d")
CALENDAR_FEATURES = (
    CalendarFeature(cycle="day_of_week", wave="cosine"),
    CalendarFeature(cycle="hour_of_day", wave="sine"),
    CalendarFeature(cycle="hour_of_day", wave="cosine"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """How much there is to compute, and how often."""
    parser.add_argument("--bars", type=int, default=1_000_000, help="of one minute")
    parser.add_argument("--rounds", type=int, default=3, help="of which the fastest counts")


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Each feature alone and all at once, of one symbol of two; all at once on coarser bars."""
    features = [*_one_of_each_kind(), *CALENDAR_FEATURES]
    market = _minute_market(options.bars)
    own = {name: bars.set_index("timestamp") for name, bars in market.bars.groupby("symbol")}
    alone = {}
    for feature in features:
        alone[feature.name] = _fastest_seconds(
            options.rounds, lambda f=feature: f.across(own, SYMBOLS[0])
        )
        log(f"{feature.name}: {alone[feature.name]:.3f} s")
    together = _fastest_seconds(
        options.rounds, lambda: build_features(market, features, SYMBOLS[:1])
    )
    log(f"all at once: {together:.2f} s")
    coarse = {
        interval: _fastest_seconds(
            options.rounds, lambda i=interval: _compute_coarse(market, i, features)
        )
        for interval in COARSE_INTERVALS
    }
    return {
        "work": {"bars": options.bars, "features": len(features), "rounds": options.rounds},
        "features_s": alone,
        "together_s": together,
        "seconds_of_20_features": 20 * together / len(features),
        "coarse_s": coarse,
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """The slowest first."""
    work = results["work"]
    table = Table(title=f"{work['bars']:,} bars of 1m, the fastest of {work['rounds']} rounds")
    table.add_column("feature", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    for name, seconds in sorted(results["features_s"].items(), key=lambda row: -row[1]):
        table.add_row(name, f"{seconds:.3f}")
    table.add_section()
    table.add_row(f"all {work['features']} at once", f"{results['together_s']:.2f}")
    for interval, seconds in results["coarse_s"].items():
        table.add_row(f"all that fit, as bars of {interval}", f"{seconds:.2f}")
    console.print(table)
    console.print(f"20 features of them: {results['seconds_of_20_features']:.1f} s")


def _one_of_each_kind() -> list[FeatureSpec]:
    return [
        kind(symbol=SYMBOLS[1]) if issubclass(kind, CrossAsset) else kind()
        for kind in FEATURE_KINDS.built_in
    ]


def _minute_market(bars: int) -> Market:
    """Two random walks, a hundredth of whose minutes stand still without a trade."""
    rng = np.random.default_rng(0)
    stamps = pd.date_range("2020-01-01", periods=bars, freq="min", tz="UTC", unit="us")
    tables = []
    for symbol in SYMBOLS:
        quiet = rng.random(bars) < 0.01
        moves = np.where(quiet, 0.0, 0.0005 * rng.standard_normal(bars))
        close = 100 * np.exp(np.cumsum(moves))
        opened = np.concatenate([[100.0], close[:-1]])
        spread = np.where(quiet, 1.0, 1 + 0.0003 * rng.random((2, bars)))
        tables.append(
            pd.DataFrame(
                {
                    "timestamp": stamps,
                    "symbol": symbol,
                    "open": opened,
                    "high": np.maximum(opened, close) * spread[0],
                    "low": np.minimum(opened, close) / spread[1],
                    "close": close,
                    "volume": np.where(quiet, 0.0, rng.lognormal(3, 1, bars)),
                }
            )
        )
    table = pd.concat(tables).sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(table, SYMBOLS, "1m", "24/7", 525_600.0, {})


def _compute_coarse(market: Market, interval: str, features: list[FeatureSpec]) -> None:
    """Those alone that are warm before the bars end."""
    length = {"5m": 5, "1h": 60, "1d": 1_440}[interval]
    count = len(market.bars) // len(market.symbols) // length
    fit = [feature for feature in features if feature.warmup < count]
    build_coarse_features(market, interval, fit, SYMBOLS[:1])


def _fastest_seconds(rounds: int, work: Callable[[], object]) -> float:
    """Whatever else the machine does only ever adds."""
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)
