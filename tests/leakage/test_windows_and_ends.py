"""A leak in one window of six, and knowledge of later times and of the number of bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import LookaheadError
from engine.leakage.truncated_run import choose_ends
from engine.leakage.window_probe import first_bars
from engine.pipeline import steps
from engine.pipeline.feature_history import build_history
from engine.selftest.harness import certify_strategy, make_strategy
from engine.splits import fit_scaler
from engine.training import datasets
from tests.hypothesis_examples import examples
from tests.leakage.peeking import trading_days

if TYPE_CHECKING:
    from engine.data import Market
    from engine.strategy import Strategy

N_WINDOWS = 6
STRATEGY = {
    "windows": {"train": 300, "validation": 60, "test": 140},
    "features": [{"kind": "log_return"}, {"kind": "rsi"}],
    "benchmarks": [{"kind": "buy_and_hold"}],
    "sizing": {"kind": "volatility_target", "target_pct_per_year": 15, "window": 20},
    "signal": {"kind": "quantile", "enter": 0.6, "exit": 0.5, "side": "long_short"},
}


@pytest.fixture(scope="module")
def market() -> Market:
    return trading_days(1_300)


@pytest.fixture(scope="module")
def strategy() -> Strategy:
    return make_strategy(**STRATEGY)


def stage(strategy: Strategy, market: Market) -> str:
    with pytest.raises(LookaheadError) as caught:
        certify_strategy(strategy, market)
    return caught.value.where


def test_an_honest_run_tells_its_windows_and_where_its_history_ended(strategy, market) -> None:
    made = certify_strategy(strategy, market)
    assert made["windows_rebuilt"] == N_WINDOWS
    first, second = (pd.Timestamp(end) for end in made["ends"])
    days = pd.DatetimeIndex(market.bars["timestamp"].unique())
    gaps = [days[days.searchsorted(end) + 1] - end for end in (first, second)]
    assert min(gaps) >= pd.Timedelta(days=2)
    assert max(gaps) > pd.Timedelta(days=3)
    assert [each["share_pct"] for each in made["features"]["missed"]] == [1.0, 2.0, 5.0, 10.0]
    assert made["features"]["cuts"] >= 40


def leak_in_window(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> list[int]:
    """The part of that name, honest but in one window; the starts of all train parts so far."""
    starts: list[int] = []

    def is_chosen(start: int) -> bool:
        if start not in starts:
            starts.append(start)
        return starts.index(start) == number

    if name == "scaler":

        def scaler(scaling, values, train):
            if is_chosen(train.start):
                return scaling.fit(values[~np.isnan(values).any(axis=1)])
            return fit_scaler(scaling, values, train)

        monkeypatch.setattr("engine.training.datasets.fit_scaler", scaler)
    else:
        honest = datasets.target_returns

        def labels(history, symbol, rows, horizons):
            shift = 3 if is_chosen(rows.start) else 0
            return honest(history, symbol, slice(rows.start + shift, rows.stop + shift), horizons)

        monkeypatch.setattr("engine.training.datasets.target_returns", labels)
    return starts


@pytest.mark.parametrize(("part", "number"), [("scaler", 2), ("labels", 3)])
def test_a_leak_in_one_window_of_six(strategy, market, monkeypatch, part, number) -> None:
    starts = leak_in_window(monkeypatch, part, number)
    where = stage(strategy, market)
    assert where.startswith("scaled inputs: " if part == "scaler" else "labels: ")
    assert f"in window {number} " in where
    assert len(starts) >= N_WINDOWS


@pytest.mark.slow
@pytest.mark.parametrize("number", range(N_WINDOWS))
def test_a_scaler_of_all_rows_in_any_window(strategy, market, monkeypatch, number) -> None:
    leak_in_window(monkeypatch, "scaler", number)
    assert f"in window {number} " in stage(strategy, market)


def decide_with(monkeypatch: pytest.MonkeyPatch, factor) -> None:
    """Positions times a factor of each out-of-sample bar, which is computed from their times."""
    honest = steps.compute_target_weights

    def knowing(*given, **terms):
        weights = honest(*given, **terms)
        return weights.mul(factor(pd.DatetimeIndex(weights.index)), axis=0)

    monkeypatch.setattr("engine.pipeline.steps.compute_target_weights", knowing)


def share_of_history_left(bars: pd.DatetimeIndex) -> np.ndarray:
    return 1.0 - np.arange(len(bars)) / len(bars)


def half_before_a_pause(bars: pd.DatetimeIndex) -> np.ndarray:
    stamps = bars.to_series()
    return np.where(stamps.shift(-1) - stamps > pd.Timedelta(days=1), 0.5, 1.0)


def half_before_holidays(bars: pd.DatetimeIndex) -> np.ndarray:
    stamps = bars.to_series()
    return np.where(stamps.shift(-1) - stamps > pd.Timedelta(days=3), 0.5, 1.0)


@pytest.mark.parametrize(
    "factor", [share_of_history_left, half_before_a_pause, half_before_holidays]
)
def test_a_position_that_knows_when_the_next_bar_comes_or_the_last(
    strategy, market, monkeypatch, factor
) -> None:
    decide_with(monkeypatch, factor)
    assert stage(strategy, market).startswith("positions: ")


@examples(50)
@given(start=st.integers(0, 300), length=st.integers(0, 400), seed=st.integers(0, 99))
def test_a_history_ends_at_out_of_sample_bars_that_others_follow(start, length, seed) -> None:
    days = pd.bdate_range("2015-01-01", periods=start + length, tz="UTC")
    tested = range(start, start + length)
    ends = choose_ends(days, tested, np.random.default_rng(seed))
    assert ends == sorted(set(ends))
    assert all(row in tested and row < tested.stop - 1 for row in ends)
    assert len(ends) == 2 or length < 6


@pytest.mark.parametrize("count", [1, 40, 500])
def test_the_first_bars_of_a_history_are_the_history_of_the_first_bars(
    strategy, market, count
) -> None:
    stamps = pd.DatetimeIndex(market.bars["timestamp"].unique())
    known = first_bars(build_history(strategy, market), count)
    built = build_history(strategy, market.until(stamps[count - 1]))
    np.testing.assert_array_equal(known.features.values, built.features.values)
    for one, two in ((known, built),):
        for bars in one.forward_returns:
            pd.testing.assert_frame_equal(one.forward_returns[bars], two.forward_returns[bars])
            pd.testing.assert_frame_equal(one.trailing_returns[bars], two.trailing_returns[bars])
