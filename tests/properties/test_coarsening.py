"""A coarser bar that is known at one bar's close is the same whatever comes later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.calendar import INTERVAL_LENGTHS
from engine.data.resampling import resample_bars
from tests.hypothesis_examples import examples

LENGTH = 90
SEEDS = st.integers(0, 2**32 - 1)
CUTS = st.integers(1, LENGTH - 1)
KINDS = st.sampled_from(
    [
        ("1h", "1d", "24/7"),
        ("15m", "4h", "24/7"),
        ("1d", "1w", "24/7"),
        ("1h", "1d", "XNYS"),
        ("1h", "4h", "XNYS"),
        ("1d", "1w", "XNYS"),
        ("30m", "1h", "XTKS"),
    ]
)


def plausible_bars(seed: int, base: str) -> pd.DataFrame:
    """Bars that begin anywhere, with holes, on and off their multiples, and around the clock."""
    rng = np.random.default_rng(seed)
    begin = pd.Timestamp("2023-12-25", tz="UTC") + rng.integers(40) * INTERVAL_LENGTHS[base]
    if base != "1d":
        begin += rng.integers(2) * INTERVAL_LENGTHS[base] / 2
    steps = np.cumsum(rng.choice([1, 1, 1, 1, 2, 3, 9], LENGTH))
    return _bars(begin + steps * INTERVAL_LENGTHS[base], rng)


def _bars(stamps, rng: np.random.Generator) -> pd.DataFrame:
    close = 100 * np.exp(np.cumsum(rng.standard_t(3, len(stamps)) * 0.03))
    table = pd.DataFrame({"timestamp": pd.DatetimeIndex(stamps).as_unit("us"), "symbol": "X"})
    table["open"], table["close"] = close * rng.uniform(0.99, 1.01, len(stamps)), close
    table["high"], table["low"] = 1.05 * close, 0.95 * close
    table["volume"] = rng.lognormal(18, 3, len(stamps))
    return table[["timestamp", "symbol", "open", "high", "low", "close", "volume"]]


def changed_after(bars: pd.DataFrame, seed: int, t: int) -> pd.DataFrame:
    """The same bars up to t, and others after it, at other times."""
    rng = np.random.default_rng(seed)
    kept, later = bars[:t], bars[t:]
    drawn = later[rng.random(len(later)) < 0.7]
    return pd.concat([kept, _bars(drawn["timestamp"], rng)], ignore_index=True)


@examples(40)
@given(seed=SEEDS, other=SEEDS, t=CUTS, kind=KINDS)
def test_coarse_bars_of_a_prefix_are_a_prefix_of_the_coarse_bars(
    seed: int, other: int, t: int, kind: tuple[str, str, str]
) -> None:
    base, interval, calendar = kind
    bars = plausible_bars(seed, base)
    known = resample_bars(bars[:t], base, interval, calendar).bars
    for told in (bars, changed_after(bars, other, t)):
        whole = resample_bars(told, base, interval, calendar).bars
        pd.testing.assert_frame_equal(whole[: len(known)], known)


@examples(20)
@given(seed=SEEDS, kind=KINDS)
def test_every_volume_is_counted_once_and_every_high_and_low_is_one_of_the_bars(
    seed: int, kind: tuple[str, str, str]
) -> None:
    base, interval, calendar = kind
    bars = plausible_bars(seed, base)
    found = resample_bars(bars, base, interval, calendar)
    coarse, inside = found.bars, bars[~bars["timestamp"].isin(found.outside_hours)]
    if coarse.empty:
        return
    assert coarse["timestamp"].is_monotonic_increasing
    assert coarse["timestamp"].is_unique
    assert coarse["volume"].sum() <= inside["volume"].sum() * (1 + 1e-12)
    assert coarse["high"].isin(inside["high"]).all()
    assert coarse["low"].isin(inside["low"]).all()
    assert coarse["open"].isin(inside["open"]).all()
    assert coarse["close"].isin(inside["close"]).all()


def test_the_check_itself_catches_a_bar_that_is_taken_before_it_is_complete() -> None:
    bars = plausible_bars(3, "1h")
    days = bars.resample("1D", on="timestamp")["close"].last().dropna()
    cut = bars[:40].resample("1D", on="timestamp")["close"].last().dropna()
    with pytest.raises(AssertionError):
        pd.testing.assert_series_equal(days[: len(cut)], cut, check_freq=False)
