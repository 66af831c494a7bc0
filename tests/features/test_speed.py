"""A long history of minutes must not keep anybody waiting."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from engine.data.market import Market
from engine.features.build import build_features
from tests.features.two_symbols import OTHER, OWN, second_symbol, with_defaults

BARS = 1_000_000


@pytest.fixture
def minutes() -> Market:
    rng = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.0005 * rng.standard_normal(BARS)))
    own = pd.DataFrame(
        {
            "timestamp": pd.date_range(
                "2020-01-01", periods=BARS, freq="min", tz="UTC", unit="us"
            ),
            "open": close,
            "high": close * (1 + 0.0003 * rng.random(BARS)),
            "low": close * (1 - 0.0003 * rng.random(BARS)),
            "close": close,
            "volume": rng.lognormal(3, 1, BARS),
        }
    )
    both = [own.assign(symbol=OWN), second_symbol(own).assign(symbol=OTHER)]
    bars = pd.concat(both).sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(bars, (OWN, OTHER), "1m", "24/7", 525_600.0, {})


@pytest.mark.slow
def test_every_feature_of_a_million_minutes_takes_less_than_ten_seconds(minutes: Market) -> None:
    features = with_defaults()
    begin = time.process_time()
    built = build_features(minutes, features, [OWN])
    assert time.process_time() - begin < 10.0
    assert built.values.shape == (BARS, len(features))
    assert len(features) >= 20
