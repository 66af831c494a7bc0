"""Symbols of which one knows what another earns later: found, and not found in honest markets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.bundled_config import BundledSourceSpec
from engine.data.config import Dataset
from engine.data.quality.symbols import check_symbols
from tests.data.quality.tables import bars_of

DAYS = pd.date_range("2015-01-01", periods=3_000, freq="D")


def clustered(rng, count, tails=4):
    """Returns with heavy tails whose size is clustered, and their sizes."""
    shocks = rng.standard_t(tails, count) * np.sqrt((tails - 2) / tails)
    sizes, variance = np.empty(count), 1.0
    for index, shock in enumerate(shocks):
        sizes[index] = np.sqrt(variance)
        variance = min(0.02 + (0.1 * shock**2 + 0.88) * variance, 1e4)
    return 0.01 * shocks * sizes, sizes


def related(seed, count, share, tails=4):
    """Returns of two symbols with a common part, and common sizes."""
    rng = np.random.default_rng(seed)
    common, sizes = clustered(rng, count, tails)
    own = 0.007 * rng.standard_t(tails, (2, count)) * sizes
    return share * common + np.sqrt(1.0 - share**2) * own, rng


def bars(returns, rng, gap=0.3):
    """Daily bars; a share of each return comes before the open."""
    closes = 100.0 * np.exp(np.cumsum(returns))
    before = np.r_[100.0, closes[:-1]]
    opens = before * np.exp(gap * returns + rng.normal(0.0, 0.001, returns.size))
    return bars_of(opens, closes, DAYS[: returns.size])


def check(frames, **quality):
    dataset = Dataset(
        name="two",
        interval="1d",
        calendar="24/7",
        symbols=tuple(frames),
        sources=(BundledSourceSpec(symbols={}),),
        quality=quality,
    )
    return [
        one
        for one in check_symbols(frames, dataset)
        if one.rule not in ("survivors", "not_shared")
    ]


def moved(frame, bars=1):
    """The same bars, each labelled some bars early."""
    kept = frame.iloc[bars:].reset_index(drop=True)
    return kept.assign(timestamp=frame["timestamp"].iloc[: len(kept)].to_numpy()).astype(
        frame.dtypes.to_dict()
    )


class TestPlants:
    @pytest.mark.parametrize("lag", [1, 2, 5])
    @pytest.mark.parametrize("share", [0.65, 0.8])
    def test_a_symbol_labelled_early_is_an_error_that_names_the_pair(self, lag, share):
        returns, rng = related(lag, 2_000, share)
        one, two = (bars(each, rng) for each in returns)
        (found,) = check({"A": one, "B": moved(two, lag)})
        if found.rule == "clocks_differ":  # so alike that the clocks are known to differ
            return
        assert (found.rule, found.severity, found.symbol) == ("lagged_returns", "error", "B")
        assert "what A earns" in found.sentence
        assert f"{lag} bar" in found.sentence
        assert "with its returns of the same bars" in found.sentence
        assert f"the bars of B seem to be labelled {lag} bar" in found.advice
        assert "those of A late" in found.advice

    def test_it_can_be_accepted(self):
        returns, rng = related(1, 2_000, 0.7)
        one, two = (bars(each, rng) for each in returns)
        (found,) = check({"A": one, "B": moved(two)}, lagged_returns="warn", clocks_differ="warn")
        assert found.severity == "warn"

    def test_a_part_of_the_history_is_enough(self):
        returns, rng = related(5, 3_000, 0.9)
        one, two = (bars(each, rng, gap=0.0) for each in returns)
        early = moved(two).iloc[:1_000]
        later = two.iloc[1_000:]
        (found,) = check({"A": one, "B": pd.concat([early, later], ignore_index=True)})
        assert found.rule == "lagged_returns"
        assert found.last < f"{DAYS[1_300]:%Y-%m-%d}"

    def test_of_many_symbols_the_one_that_is_early_is_named_once(self):
        rng = np.random.default_rng(3)
        common, sizes = clustered(rng, 2_000)
        frames = {
            name: bars(0.75 * common + 0.66 * 0.007 * rng.standard_t(4, 2_000) * sizes, rng)
            for name in "ABCD"
        }
        found = check(frames | {"C": moved(frames["C"])})
        assert {one.symbol for one in found} == {"C"}
        assert len(found) == 1

    def test_a_close_that_is_the_next_one_is_found_in_one_symbol(self):
        returns, rng = related(1, 2_000, 0.7)
        own = bars(returns[0], rng)
        closes = np.r_[own["close"].to_numpy()[1:], own["close"].to_numpy()[-1]]
        (found,) = check({"A": bars_of(own["open"].to_numpy(), closes, DAYS[:2_000])})
        assert (found.rule, found.symbol) == ("lagged_returns", "A")
        assert "hold a later price" in found.sentence


class TestHonestMarkets:
    @pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
    def test_markets_of_one_time(self, share):
        for seed in range(6):
            count = (80, 200, 600, 1_500)[seed % 4]
            returns, rng = related(100 + seed, count, share, tails=3)
            assert check(dict(zip("AB", (bars(each, rng) for each in returns), strict=True))) == []

    def test_a_thin_market_that_follows_keeps_its_correlation_at_once(self):
        for seed in range(6):
            returns, rng = related(200 + seed, 2_000, 0.8)
            thin = returns[1].copy()
            thin[1:] = 0.6 * returns[1][1:] + 0.4 * returns[1][:-1]
            assert check({"A": bars(returns[0], rng), "B": bars(thin, rng)}) == []

    def test_tokyo_follows_new_york_at_its_open(self):
        for seed in range(6):
            rng = np.random.default_rng(300 + seed)
            new_york, own = clustered(rng, 2_500)[0], clustered(rng, 2_500)[0]
            gaps = 0.4 * np.r_[0.0, new_york[:-1]] + rng.normal(0.0, 0.002, 2_500)
            within = 0.7 * own + 0.03 * np.r_[0.0, new_york[:-1]]
            closes = 100.0 * np.exp(np.cumsum(gaps + within))
            tokyo = bars_of(np.r_[100.0, closes[:-1]] * np.exp(gaps), closes, DAYS[:2_500])
            lagged = np.corrcoef(new_york[:-1], (gaps + within)[1:])[0, 1]
            assert lagged > 0.4
            assert check({"NY": bars(new_york, rng), "TK": tokyo}) == []

    def test_trends_waves_and_averages(self):
        turn = np.sin(np.arange(1_000) / 7.0) / 50.0
        rng = np.random.default_rng(1)
        mean = np.convolve(rng.normal(0.0, 0.01, 1_002), np.ones(3) / 3, mode="valid")
        for returns in (turn, np.full(1_000, 0.001), mean):
            assert check({"A": bars(returns, rng, gap=0.0)}) == []

    def test_too_few_bars_say_nothing(self):
        returns, rng = related(1, 55, 0.95)
        one, two = (bars(each, rng) for each in returns)
        assert check({"A": one, "B": moved(two)}) == []
