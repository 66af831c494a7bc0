"""Other bars after a cut: different everywhere, valid, and of the same character."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.bars import MAX_PRICE, MIN_PRICE, VALUE_COLUMNS
from engine.data.market import Market
from engine.data.quality import CheckSettings, check_bars
from engine.leakage.synthetic_bars import SyntheticFuture
from tests.hypothesis_examples import examples

BARS = 120
SYMBOLS = ("AAA", "BBB")


def market_of(seed: int, *, bars: int = BARS, still: bool = False) -> Market:
    """Two symbols; the second has no volume, and where `still` no movement either."""
    rng = np.random.default_rng(seed)
    tables = []
    for symbol in SYMBOLS:
        moves = rng.standard_t(3, bars) * (0.0 if still else 0.02)
        close = 50 * np.exp(np.cumsum(moves))
        opened = np.concatenate([close[:1], close[:-1]])
        spread = 1 + (0.0 if still else 0.01) * rng.random((2, bars))
        tables.append(
            pd.DataFrame(
                {
                    "timestamp": pd.date_range("2020-01-01", periods=bars, tz="UTC"),
                    "symbol": symbol,
                    "open": opened,
                    "high": np.maximum(opened, close) * spread[0],
                    "low": np.minimum(opened, close) / spread[1],
                    "close": close,
                    "volume": rng.lognormal(8, 1, bars) * (symbol == "AAA"),
                }
            )
        )
    table = pd.concat(tables).sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(table, SYMBOLS, "1d", "24/7", 365.0, {})


def after(market: Market, row: int, seed: int = 0, **chosen: object) -> Market:
    return SyntheticFuture(market).replace_after(row, np.random.default_rng(seed), **chosen)


SEEDS = st.integers(0, 2**32 - 1)
ROWS = st.integers(1, BARS - 2)


@examples(40)
@given(seed=SEEDS, draws=SEEDS, row=ROWS, still=st.booleans(), keep_open=st.booleans())
def test_every_value_after_the_cut_differs_and_none_before(
    seed: int, draws: int, row: int, still: bool, keep_open: bool
) -> None:
    real = market_of(seed, still=still)
    other = after(real, row, draws, keep_open=keep_open)
    for column in VALUE_COLUMNS:
        one, two = (market.wide(column).to_numpy() for market in (real, other))
        kept = row + (column == "open" or not keep_open)
        np.testing.assert_array_equal(one[:kept], two[:kept])
        assert (one[kept:] != two[kept:]).all(), column


@examples(40)
@given(seed=SEEDS, draws=SEEDS, row=ROWS)
def test_a_bar_of_which_the_open_is_kept_goes_the_other_way(seed, draws, row) -> None:
    """An order that is filled, or not, for where its bar will close is filled otherwise."""
    real = market_of(seed)
    one, two = (
        (market.wide("close") > market.wide("open")).to_numpy()[row]
        for market in (real, after(real, row, draws, keep_open=True))
    )
    assert (one != two).all()


@examples(40)
@given(seed=SEEDS, row=ROWS, still=st.booleans(), keep_open=st.booleans())
def test_they_are_bars_that_can_be_trusted(seed, row, still, keep_open) -> None:
    other = after(market_of(seed, still=still), row, keep_open=keep_open, price_factor=0.2)
    for symbol in SYMBOLS:
        own = other.bars[other.bars["symbol"] == symbol].reset_index(drop=True)
        # Their level is moved at the cut, which looks like a split or a jump and is meant.
        policy = {"missed_splits": "warn", "jumps": "warn"}
        terms = CheckSettings("1d", pd.Timestamp("2030-01-01", tz="UTC"), policy=policy)
        assert check_bars(own, terms).errors == ()


def test_they_move_as_much_as_the_real_ones_and_another_way() -> None:
    real = market_of(3, bars=4_000)
    other = after(real, 999)
    one, two = (np.diff(np.log(m.wide("close").to_numpy()), axis=0)[1_000:] for m in (real, other))
    np.testing.assert_allclose(two.std(axis=0), one.std(axis=0), rtol=0.3)
    assert (
        np.abs([np.corrcoef(a, b)[0, 1] for a, b in zip(one.T, two.T, strict=True)]) < 0.1
    ).all()


def test_the_same_draws_give_the_same_bars_and_others_give_others() -> None:
    real = market_of(4)
    pd.testing.assert_frame_equal(after(real, 50, 1).bars, after(real, 50, 1).bars)
    assert not after(real, 50, 1).bars.equals(after(real, 50, 2).bars)


def test_a_level_moves_all_prices_after_the_cut_at_once() -> None:
    real = market_of(5)
    low, same = (after(real, 60, price_factor=level).wide("close") for level in (0.2, 1.0))
    np.testing.assert_allclose(low.to_numpy()[61:], 0.2 * same.to_numpy()[61:], rtol=1e-12)
    np.testing.assert_array_equal(low.to_numpy()[:61], real.wide("close").to_numpy()[:61])


@pytest.mark.parametrize("factor", [0.2, 5.0])
@pytest.mark.parametrize("keep_open", [False, True])
def test_the_first_bar_after_the_cut_moves_by_itself_and_by_its_gap(factor, keep_open) -> None:
    real = market_of(9)
    other = after(real, 60, price_factor=factor, keep_open=keep_open)
    first = 60 if keep_open else 61
    opens, highs, lows, closes = (
        other.wide(name).to_numpy() for name in ("open", "high", "low", "close")
    )
    least = 0.8 * abs(np.log(factor))
    within = np.log(closes[first] / opens[first]) * np.sign(np.log(factor))
    assert (within > least / 2).all()
    gap = np.log(opens[first] / closes[first - 1]) * np.sign(np.log(factor))
    assert (gap < least / 4).all() if keep_open else (gap > least / 2).all()
    assert (lows <= np.minimum(opens, closes)).all()
    assert (highs >= np.maximum(opens, closes)).all()


def test_a_gap_may_go_the_other_way_than_its_bar_and_volumes_are_scaled() -> None:
    real = market_of(9)
    plain = after(real, 60)
    other = after(real, 60, price_factor=0.2, open_factor=2.0, volume_factor=0.01)
    opens, closes = other.wide("open").to_numpy(), other.wide("close").to_numpy()
    assert (opens[61] > 1.5 * closes[60]).all()
    assert (closes[61] < 0.5 * opens[61]).all()
    np.testing.assert_allclose(
        other.wide("volume").to_numpy()[61:], 0.01 * plain.wide("volume").to_numpy()[61:]
    )


def test_a_quiet_bar_has_no_volume_or_a_close_that_did_not_move() -> None:
    real = market_of(6)
    traded = real.bars["symbol"] == "AAA"
    moving = Market(real.bars[traded].copy(), ("AAA",), "1d", "24/7", 365.0, {})
    assert not SyntheticFuture(moving).inactive_bars.any()
    moving.bars.iloc[7, moving.bars.columns.get_loc("volume")] = 0.0
    moving.bars.iloc[9, moving.bars.columns.get_loc("close")] = moving.bars["close"].iloc[8]
    assert np.flatnonzero(SyntheticFuture(moving).inactive_bars).tolist() == [7, 9]


@pytest.mark.parametrize("row", [BARS - 1])
def test_nothing_is_left_to_replace_after_the_last_bar(row: int) -> None:
    real = market_of(7)
    pd.testing.assert_frame_equal(after(real, row).bars, real.bars)


def test_a_symbol_without_volume_has_none_after_the_cut_either() -> None:
    real = market_of(8)
    lacking = real.bars["symbol"] == "BBB"
    real.bars.loc[lacking, "volume"] = np.nan
    other = after(real, 50).bars
    assert other.loc[lacking, "volume"].isna().all()
    assert np.isfinite(other.loc[~lacking, "volume"]).all()
    assert not SyntheticFuture(real).inactive_bars.any()


def test_prices_stay_those_that_can_be_simulated() -> None:
    """A history that fell by orders of magnitude within a bar is drawn from, and may be often."""
    for unit, crash in ((1e-4, 1e-5), (1e9, 1e5)):
        real = market_of(3)
        prices = list(VALUE_COLUMNS[:4])
        values = real.bars.copy()
        values[prices] *= unit
        values.loc[len(values) // 2 :, prices] *= crash
        values.loc[3 * len(values) // 4 :, prices] /= crash
        for factor in (5.0, 0.2):
            other = after(replace(real, bars=values), 20, price_factor=factor)
            drawn = other.bars[prices].to_numpy()
            assert (drawn >= MIN_PRICE).all()
            assert (drawn <= MAX_PRICE).all()
