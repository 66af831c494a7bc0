"""Bars that were filled in are found; markets with small ticks and few trades are not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.quality.tables import check_table, plain, rows, rules, table, walk

VALUES = ["open", "high", "low", "close", "volume"]


def with_holes(raw, holes, fill):
    """The table with the values of some bars filled by a function of the table with holes."""
    empty = raw.copy()
    empty.loc[holes, VALUES] = np.nan
    return fill(empty)


def linear(raw):
    return raw.assign(**raw[VALUES].interpolate())


def geometric(raw):
    return raw.assign(**np.exp(np.log(raw[VALUES]).interpolate()))


def traded(count=2_000, *, tick, seed=1, idle=0.0, volatility=0.002, freq="min"):
    """A market of small ticks in which a share of the bars has no trade."""
    rng = np.random.default_rng(seed)
    stay = rng.random(count) < idle
    steps = np.where(stay, 0.0, rng.normal(0.0, volatility, count))
    closes = np.round(100.0 * np.exp(np.cumsum(steps)) / tick) * tick
    opens = np.r_[closes[0], closes[:-1]]
    reach = np.where(stay, 0.0, rng.integers(0, 3, count) * tick)
    volumes = np.where(stay, 0.0, rng.integers(1, 40, count))
    highs, lows = np.maximum(opens, closes) + reach, np.minimum(opens, closes) - reach
    return table(opens, highs, lows, closes, volumes, freq=freq)


class TestHoles:
    @pytest.mark.parametrize("fill", [linear, geometric])
    @pytest.mark.parametrize("digits", [2, 10])
    @pytest.mark.parametrize("holes", [[100], [100, 101, 102], list(range(50, 60))])
    def test_a_line_between_two_bars_is_found_at_its_bars(self, fill, digits, holes):
        raw = with_holes(walk().round(dict.fromkeys(VALUES, digits)), holes, fill)
        assert rows(raw, "filled") == holes
        (found,) = [one for one in check_table(raw).findings if one.rule == "filled"]
        assert found.severity == "warn"
        assert "knows later prices" in found.sentence

    def test_days_made_of_weeks_are_found(self):
        raw = walk(700, seed=3)
        holes = [row for row in range(len(raw) - 7) if row % 7]
        assert set(rows(with_holes(raw, holes, linear), "filled")) >= set(holes)

    def test_a_run_of_closes_alone_is_found(self):
        raw = walk()
        raw.loc[100:107, "close"] = np.nan
        closes = raw["close"].interpolate()
        flat = raw.assign(**dict.fromkeys(VALUES[:4], closes), volume=np.nan)
        assert rows(flat, "filled") == list(range(100, 108))

    def test_a_bar_without_a_trade_at_the_next_price_is_found(self):
        raw = walk()
        raw.loc[[100, 101], VALUES[:4]] = raw.loc[102, "open"]
        raw.loc[[100, 101], "volume"] = 0.0
        assert rows(raw, "filled") == [100, 101]

    def test_a_bar_that_repeats_the_next_is_found_with_and_without_volume(self):
        raw = walk()
        raw.loc[100, VALUES] = raw.loc[101, VALUES]
        assert rows(raw, "filled") == [101]
        raw.loc[100, "volume"] = 0.0
        assert rows(raw, "filled") == [100]


class TestHonestBars:
    @pytest.mark.parametrize("tick", [0.01, 0.125, 0.5])
    @pytest.mark.parametrize("idle", [0.0, 0.3])
    def test_small_ticks_and_idle_bars_are_not_found(self, tick, idle):
        for seed in range(4):
            assert rows(traded(tick=tick, idle=idle, seed=seed), "filled", "1m") == []

    def test_the_close_before_is_how_exchanges_show_that_nothing_traded(self):
        raw = walk()
        raw.loc[100:102, VALUES[:4]] = raw.loc[99, "close"]
        raw.loc[100:102, "volume"] = 0.0
        assert rules(raw) == []

    def test_straight_lines_and_steady_prices_are_not_filled(self):
        ramp = 100.0 + np.arange(200.0)
        steady = plain(200, volumes=np.arange(1.0, 201.0))
        for raw in (table(ramp, ramp + 1, ramp - 1, ramp, [50.0] * 200), steady):
            assert "filled" not in rules(raw)

    def test_a_hole_that_stays_is_a_gap_and_not_filled(self):
        raw = walk().drop(index=[100, 101])
        assert rules(raw) == ["gaps"]
