"""At which bars something traded: a volume of 0 is believed where the volumes say something."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.market import Market
from engine.data.traded_bars import TradedBars, find_traded_bars
from tests.hypothesis_examples import examples

MOVING = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.01, 400)))


def traded(volume: list[float] | np.ndarray, close: np.ndarray | None = None) -> list[bool]:
    """Of one symbol whose bars are a close each; by default it moves at every bar."""
    index = pd.date_range("2024-01-01", periods=len(volume), tz="UTC", name="timestamp")
    prices = pd.DataFrame({"A": (MOVING if close is None else close)[: len(volume)]}, index=index)
    volumes = pd.DataFrame({"A": volume}, index=index, dtype="float64")
    return find_traded_bars(volumes, prices, prices, prices)["A"].tolist()


def test_nothing_trades_at_a_volume_of_0() -> None:
    assert traded([5, 5, 0, 0, 5, 0]) == [True, True, False, False, True, False]


def test_the_smallest_volume_is_a_trade() -> None:
    assert traded([5, 5, 5e-324, 5]) == [True] * 4


def test_a_volume_that_is_not_known_is_not_0() -> None:
    assert traded([np.nan] * 6) == [True] * 6
    assert traded([5, np.nan, 0, np.nan]) == [True, True, False, True]


def test_a_source_that_always_writes_0_has_no_volumes() -> None:
    assert traded([0] * 300) == [True] * 300
    assert traded([0] * 300, np.full(300, 100.0)) == [True] * 300


def test_volumes_say_something_from_the_first_one_above_0() -> None:
    early = np.r_[np.zeros(50), np.full(150, 9.0)]
    assert traded(early) == [True] * 200
    early[120] = 0.0
    assert traded(early).index(False) == 120


def test_a_source_that_mostly_writes_0_while_the_price_moves_has_no_volumes() -> None:
    volume = np.where(np.arange(300) % 10 == 0, 7.0, 0.0)
    assert all(traded(volume)[3:])


def test_a_source_that_stops_to_write_volumes_has_none_once_most_bars_are_such() -> None:
    found = traded(np.r_[np.full(100, 7.0), np.zeros(200)])
    assert found == [True] * 100 + [False] * 101 + [True] * 99


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_minutes_without_a_trade_are_believed_however_many(share: float) -> None:
    """They repeat the last close, as whoever fills minutes in writes them."""
    volume = np.where(np.random.default_rng(4).random(400) < share, 0.0, 3.0)
    volume[0] = 3.0
    close = pd.Series(np.where(volume > 0, MOVING, np.nan)).ffill().to_numpy()
    assert traded(volume, close) == (volume > 0).tolist()


def test_a_halt_longer_than_all_bars_before_is_believed() -> None:
    volume = np.r_[np.full(100, 7.0), np.zeros(290), 7.0]
    close = np.r_[MOVING[:100], np.full(290, MOVING[99]), 50.0]
    assert traded(volume, close) == (volume > 0).tolist()


def test_a_bar_moves_by_its_range_or_by_its_close() -> None:
    """Flat closes with a range are quotes that moved."""
    index = pd.date_range("2024-01-01", periods=9, tz="UTC", name="timestamp")
    volume = pd.DataFrame({"A": [1.0, *[0.0] * 8]}, index=index)
    low = pd.DataFrame({"A": 9.0}, index=index)
    flat = find_traded_bars(volume, low, low, low)["A"]
    ranging = find_traded_bars(volume, low + 1, low, low)["A"]
    assert flat.tolist() == [True] + [False] * 8
    assert ranging.tolist() == [True, False, False, *[True] * 6]


def test_symbols_are_judged_apart() -> None:
    rng = np.random.default_rng(5)
    stamps = pd.date_range("2024-01-01", periods=60, tz="UTC")
    tables = [
        pd.DataFrame(
            {
                "timestamp": stamps,
                "symbol": symbol,
                **dict.fromkeys(("open", "high", "low", "close"), MOVING[:60] * rng.random()),
                "volume": volume,
            }
        )
        for symbol, volume in (("STOCK", np.r_[np.full(50, 4.0), np.zeros(10)]), ("FX", 0.0))
    ]
    table = pd.concat(tables).sort_values("timestamp", kind="stable", ignore_index=True)
    market = Market(table, ("STOCK", "FX"), "1d", "24/7", 365.0, {})
    assert market.traded["STOCK"].tolist() == [True] * 50 + [False] * 10
    assert market.traded["FX"].all()
    assert market.until(stamps[52]).traded.equals(market.traded.iloc[:53])


@examples(100)
@given(st.integers(0, 2**32 - 1), st.integers(1, 59), st.sampled_from([0.1, 0.5, 0.9]))
def test_no_later_bar_changes_whether_something_traded(
    seed: int, known: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    close = 10 + np.cumsum(rng.choice([-1.0, 0.0, 1.0], 60))
    volume = np.where(rng.random(60) < share, 0.0, rng.random(60))
    later = np.where(np.arange(60) < known, volume, rng.permutation(volume))
    moved = np.where(np.arange(60) < known, close, rng.permutation(close))
    assert traded(later, moved)[:known] == traded(volume, close)[:known]


@examples(50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 59))
def test_the_price_of_a_bar_does_not_decide_whether_it_traded(seed: int, row: int) -> None:
    rng = np.random.default_rng(seed)
    close = 10 + np.cumsum(rng.choice([-1.0, 0.0, 1.0], 60))
    volume = np.where(rng.random(60) < 0.6, 0.0, 1.0)
    other = close.copy()
    other[row] += 5.0
    assert traded(volume, other)[: row + 1] == traded(volume, close)[: row + 1]


@examples(40)
@given(seed=st.integers(0, 2**32 - 1), start=st.integers(0, 60))
def test_bars_that_arrive_one_by_one_are_judged_as_all_at_once(seed: int, start: int) -> None:
    rng = np.random.default_rng(seed)
    volume = rng.choice([0.0, 0.0, 3.0, np.nan], 80) * rng.choice([0.0, 1.0])
    close = 100 + np.cumsum(rng.choice([0.0, 0.0, 1.0], 80))
    high = close + rng.choice([0.0, 0.0, 1.0], 80)
    index = pd.date_range("2024-01-01", periods=80, tz="UTC", name="timestamp")
    wide = [pd.DataFrame({"A": each}, index=index) for each in (volume, high, close, close)]
    state, answers = TradedBars(), []
    if start:
        state = TradedBars.of_history(*(each[:start] for each in (volume, high, close, close)))
    for row in range(start, 80):
        state, answer = state.advance(
            volume=volume[row], high=high[row], low=close[row], close=close[row]
        )
        answers.append(answer)
    assert answers == find_traded_bars(*wide)["A"].tolist()[start:]
