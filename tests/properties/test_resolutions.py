"""No coarse bar that a base bar may use knows of a bar after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.calendar import INTERVAL_LENGTHS
from engine.features.config import (
    Beta,
    CalendarFeature,
    FractionalDifference,
    LogReturn,
    Rsi,
    TrendRegime,
    TurnOfMonth,
    VolatilityRegime,
    VolumeZscore,
    YangZhang,
)
from engine.features.resolutions import build_coarse_features, resample_market
from tests.hypothesis_examples import examples
from tests.properties.plausible_markets import LENGTH, plausible_market

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import IntVector
    from engine.data.market import Market

    Resample = Callable[[Market, str], tuple[Market, IntVector]]

VALUES = ["open", "high", "low", "close", "volume"]
FEATURES = (
    LogReturn(),
    VolumeZscore(window=2),
    Rsi(window=2),
    YangZhang(window=2),
    FractionalDifference(window=5),
    TrendRegime(window=3),
    VolatilityRegime(window=2, history=20),
    CalendarFeature(cycle="hour_of_day", wave="cosine"),
    TurnOfMonth(),
    Beta(symbol="B", window=10),
)


def until(market: Market, t: int) -> Market:
    """The same market without the bars after bar t."""
    last = market.bars["timestamp"].unique()[t]
    return replace(market, bars=market.bars[market.bars["timestamp"] <= last])


def changed_after(market: Market, other: Market, t: int) -> Market:
    """The same market with the bars of another after bar t, at that one's timestamps."""
    kept = until(market, t).bars
    later = other.bars[other.bars["timestamp"] > kept["timestamp"].max()]
    return replace(market, bars=pd.concat([kept, later], ignore_index=True))


def known(market: Market, interval: str, t: int, how: Resample) -> tuple[IntVector, pd.DataFrame]:
    """Which coarse bars base bars up to t may use, and what stands in them."""
    coarse, latest = how(market, interval)
    stamps = coarse.bars["timestamp"].unique()[: latest[t] + 1]
    return latest[: t + 1], coarse.bars[coarse.bars["timestamp"].isin(stamps)]


def assert_causal(
    market: Market, other: Market, interval: str, t: int, how: Resample = resample_market
) -> None:
    """Up to bar t, the same bits without later bars and with other later bars."""
    latest, bars = known(market, interval, t, how)
    for name, told in (("cut", until(market, t)), ("other", changed_after(market, other, t))):
        again, same = known(told, interval, t, how)
        np.testing.assert_array_equal(again, latest, err_msg=f"later bars were seen: {name}")
        left, right = (frame[["timestamp", *VALUES]].to_numpy() for frame in (same, bars))
        np.testing.assert_array_equal(left, right, err_msg=f"later bars were seen: {name}")


SEEDS = st.integers(0, 2**32 - 1)
CUTS = st.integers(0, LENGTH - 2)
PAIRS = st.sampled_from([("1d", "1w"), ("1h", "1d"), ("4h", "1d"), ("1h", "4h"), ("1m", "5m")])


@pytest.mark.slow
@examples(60)
@given(seed=SEEDS, other=SEEDS, t=CUTS, pair=PAIRS)
def test_coarse_bars_known_at_t_do_not_depend_on_bars_after_t(
    seed: int, other: int, t: int, pair: tuple[str, str]
) -> None:
    base, interval = pair
    market, another = plausible_market(seed, base), plausible_market(other, base)
    assert_causal(market, another, interval, t)


@pytest.mark.slow
@examples(25)
@given(seed=SEEDS, other=SEEDS, t=CUTS, pair=PAIRS)
def test_coarse_features_known_at_t_do_not_depend_on_bars_after_t(
    seed: int, other: int, t: int, pair: tuple[str, str]
) -> None:
    base, interval = pair
    market = plausible_market(seed, base)
    told = changed_after(market, plausible_market(other, base), t)
    whole, cut, changed = (
        build_coarse_features(bars, interval, FEATURES, ["A", "B"])
        for bars in (market, until(market, t), told)
    )
    rows = slice(0, whole.latest[t] + 1)
    for again in (cut, changed):
        np.testing.assert_array_equal(again.latest[: t + 1], whole.latest[: t + 1])
        np.testing.assert_array_equal(again.features.values[rows], whole.features.values[rows])


@pytest.mark.slow
@examples(40)
@given(seed=SEEDS, pair=PAIRS)
def test_coarse_bars_are_those_that_a_trader_writes_down_close_by_close(
    seed: int, pair: tuple[str, str]
) -> None:
    base, length = INTERVAL_LENGTHS[pair[0]], INTERVAL_LENGTHS[pair[1]]
    market = plausible_market(seed, pair[0])
    own = market.bars[market.bars["symbol"] == "A"]
    begin, anchor = own["timestamp"].iloc[0], pd.Timestamp("1970-01-05", tz="UTC")
    gathered: dict[pd.Timestamp, list[pd.Series]] = {}
    written: dict[pd.Timestamp, list[float]] = {}
    newest, close = [], begin
    for _, bar in own.iterrows():
        opens = anchor + (bar["timestamp"] - anchor) // length * length
        gathered.setdefault(opens if opens + length > close else opens + length, []).append(bar)
        close = bar["timestamp"] + base
        for over in [opens for opens in gathered if opens + length <= close]:
            bars = pd.DataFrame(gathered.pop(over))
            ends = [bars["open"].iloc[0], bars["high"].max(), bars["low"].min()]
            written[over] = [*ends, bars["close"].iloc[-1], bars["volume"].sum()]
            if over < begin:
                del written[over]
        newest.append(len(written) - 1)
    coarse, latest = resample_market(market, pair[1])
    found = coarse.bars[coarse.bars["symbol"] == "A"]
    assert latest.tolist() == newest
    assert found["timestamp"].tolist() == list(written)
    np.testing.assert_allclose(found[VALUES], np.reshape([*written.values()], (-1, 5)))


def one_bar_early(market: Market, interval: str) -> tuple[Market, IntVector]:
    """A planted leak: every coarse bar is reached one base bar before it is complete."""
    coarse, latest = resample_market(market, interval)
    return coarse, np.append(latest[1:], latest[-1])


def as_of_its_open(market: Market, interval: str) -> tuple[Market, IntVector]:
    """A planted leak: a coarse bar is reached from its own open on, as a plain join would."""
    coarse, _ = resample_market(market, interval)
    opens = coarse.bars["timestamp"].unique()
    return coarse, np.searchsorted(opens, market.bars["timestamp"].unique(), side="right") - 1


def unfinished(market: Market, interval: str) -> tuple[Market, IntVector]:
    """A planted leak: the bars of pandas as they come, the last one unfinished, all reached."""
    own = [market.bars[market.bars["symbol"] == symbol] for symbol in market.symbols]
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    tables = [
        bars.resample(
            INTERVAL_LENGTHS[interval], on="timestamp", origin=pd.Timestamp("1970-01-05", tz="UTC")
        )
        .agg(how)
        .reset_index()
        .assign(symbol=symbol)
        for bars, symbol in zip(own, market.symbols, strict=True)
    ]
    opens = tables[0]["timestamp"]
    latest = np.searchsorted(opens, own[0]["timestamp"], side="right") - 1
    bars = pd.concat(tables).sort_values("timestamp", kind="stable", ignore_index=True)
    return replace(market, bars=bars), latest


@pytest.mark.parametrize("leak", [one_bar_early, as_of_its_open, unfinished])
def test_the_check_itself_catches_a_planted_leak(leak: Resample) -> None:
    market, other = plausible_market(1, "1d"), plausible_market(2, "1d")
    _, latest = resample_market(market, "1w")
    t = int(np.argmax(latest == 3)) - 1  # the bar before the fourth week is complete
    with pytest.raises(AssertionError, match="later bars were seen"):
        assert_causal(market, other, "1w", t, leak)
