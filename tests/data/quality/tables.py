"""Tables of bars for tests of quality rules, and functions that check them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.data.bars import normalise_bars
from engine.data.quality import CheckSettings, check_bars

NOW = pd.Timestamp("2024-06-01", tz="UTC")


def table(opens, highs, lows, closes, volumes=None, *, first="2020-01-01", freq="D"):
    stamps = pd.date_range(first, periods=len(opens), freq=freq)
    return pd.DataFrame(
        {
            "timestamp": stamps,
            "open": opens,
            "high": highs,
            "low": lows,
            "close": closes,
            "volume": volumes if volumes is not None else [1.0] * len(opens),
        }
    )


def plain(count=10, **options):
    return table([10.0] * count, [12.0] * count, [9.0] * count, [11.0] * count, **options)


def walk(count=400, *, volatility=0.02, seed=1, **options):
    """A random walk that opens at the previous close, with similar volumes."""
    rng = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(rng.normal(0.0, volatility, count)))
    opens = np.r_[100.0, closes[:-1]] * np.exp(rng.normal(0.0, volatility / 10, count))
    highs = np.maximum(opens, closes) * np.exp(np.abs(rng.normal(0.0, volatility / 4, count)))
    lows = np.minimum(opens, closes) * np.exp(-np.abs(rng.normal(0.0, volatility / 4, count)))
    volumes = 1e6 * np.exp(rng.normal(0.0, 0.3, count))
    return table(opens, highs, lows, closes, volumes, **options)


def scaled(raw, rows, factor, columns=("open", "high", "low", "close")):
    """The table with the prices of some bars multiplied."""
    raw = raw.copy()
    raw.loc[rows, list(columns)] *= factor
    return raw


def check_table(raw, interval="1d", **terms):
    return check_bars(normalise_bars(raw, "X"), CheckSettings(interval, NOW, **terms))


def rules(raw, interval="1d", **terms):
    return [finding.rule for finding in check_table(raw, interval, **terms).findings]


def rows(raw, rule, interval="1d", **terms):
    """Positions of the bars that break one rule."""
    examined = check_table(raw, interval, **terms)
    pairs = zip(examined.findings, examined.finding_rows, strict=True)
    return [row for finding, found in pairs if finding.rule == rule for row in found.tolist()]


def bars_of(opens, closes, stamps, symbol="X"):
    """Normalised bars with these opens and closes, and highs and lows just around them."""
    raw = table(
        opens, np.maximum(opens, closes) * 1.001, np.minimum(opens, closes) / 1.001, closes
    )
    return normalise_bars(raw.assign(timestamp=stamps), symbol)
