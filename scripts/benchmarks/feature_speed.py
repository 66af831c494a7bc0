"""`scripts/bench features`: run time of every feature on a long history of minutes."""

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
from engine.features.cross_section import CrossSectional
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
    """Adds the number of bars and rounds."""
    parser.add_argument("--bars", type=int, default=1_000_000, help="number of one-minute bars")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the fastest counts")


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Times each feature, all features together, and all features on coarser bars."""
    features = [*_one_of_each_kind(), *CALENDAR_FEATURES]
    market = _minute_market(options.bars)
    own = {name: bars.set_index("timestamp") for name, bars in market.bars.groupby("symbol")}
    single = {}
    for feature in features:
        single[feature.name] = _fastest_seconds(
            options.rounds, lambda f=feature: f.compute_for_symbol(own, SYMBOLS[0])
        )
        log(f"{feature.name}: {single[feature.name]:.3f} s")
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
        "features_s": single,
        "together_s": together,
        "seconds_of_20_features": 20 * together / len(features),
        "coarse_s": coarse,
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints the features, slowest first."""
    work = results["work"]
    table = Table(title=f"{work['bars']:,} bars of 1m, the fastest of {work['rounds']} rounds")
    table.add_column("feature", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    for name, seconds in sorted(results["features_s"].items(), key=lambda row: -row[1]):
        table.add_row(name, f"{seconds:.3f}")
    table.add_section()
    table.add_row(f"all {work['features']} at once", f"{results['together_s']:.2f}")
    for interval, seconds in results["coarse_s"].items():
        table.add_row(f"all with enough bars of {interval}", f"{seconds:.2f}")
    console.print(table)
    console.print(f"20 features of them: {results['seconds_of_20_features']:.1f} s")


def _one_of_each_kind() -> list[FeatureSpec]:
    """Of the kinds that one symbol has by itself or beside another."""
    return [
        kind(symbol=SYMBOLS[1]) if issubclass(kind, CrossAsset) else kind()
        for kind in FEATURE_KINDS.built_in
        if not issubclass(kind, CrossSectional)
    ]


def _minute_market(bars: int) -> Market:
    """Two random walks; one in a hundred minutes has no trade."""
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
    """Computes the features whose warm-up is shorter than the history."""
    length = {"5m": 5, "1h": 60, "1d": 1_440}[interval]
    count = len(market.bars) // len(market.symbols) // length
    computable = [feature for feature in features if feature.warmup < count]
    build_coarse_features(market, interval, computable, SYMBOLS[:1])


def _fastest_seconds(rounds: int, work: Callable[[], object]) -> float:
    """The fastest round, since other work on the machine only adds time."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
