"""A jump to another level that no split and no trading explains is found, a traded one is not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.quality.tables import check_table, rows, rules, scaled, walk


class TestPlants:
    @pytest.mark.parametrize("factor", [1e3, 1e-3, 1e8, 17.0, 1 / 17])
    @pytest.mark.parametrize("row", [3, 200, 397])
    def test_another_unit_from_one_bar_on_is_an_error_at_that_bar(self, factor, row):
        raw = scaled(walk(), slice(row, None), factor)
        assert rows(raw, "jumps") == [row]
        (found,) = check_table(raw).errors
        assert (found.first, found.count) == (f"{raw['timestamp'].iloc[row]:%Y-%m-%d}", 1)
        assert "another instrument" in found.sentence
        assert "`quality: {jumps: warn}`" in found.advice

    @pytest.mark.parametrize("volume", [1.0, 1e-3])
    def test_an_open_that_copies_the_close_before_does_not_hide_it(self, volume):
        raw = scaled(walk(), slice(200, None), 1e3)
        raw.loc[200:, "volume"] *= volume
        raw.loc[200, ["open", "low"]] = raw.loc[199, "close"]
        assert rows(raw, "jumps") == [200]

    def test_bars_without_volume_are_searched_too(self):
        raw = scaled(walk(), slice(200, None), 1e3).assign(volume=np.nan)
        assert rows(raw, "jumps") == [200]


class TestHonestBars:
    @pytest.mark.parametrize("factor", [0.01, 0.15, 6.0, 50.0])
    def test_a_crash_or_rally_within_a_bar_has_its_volume(self, factor):
        raw = scaled(walk(), slice(201, None), factor)
        raw.loc[200, "close"] *= factor
        raw.loc[200, "high"] = max(raw.loc[200, ["open", "high", "close"]])
        raw.loc[200, "low"] = min(raw.loc[200, ["open", "low", "close"]])
        raw.loc[200, "volume"] *= 10.0
        assert rules(raw) == []

    def test_news_overnight_has_its_volume(self):
        raw = scaled(walk(), slice(200, None), 12.0)
        raw.loc[200:203, "volume"] *= 10.0
        assert "jumps" not in rules(raw)

    def test_a_penny_stock_that_jumps_all_the_time(self):
        for seed in range(5):
            assert "jumps" not in rules(walk(volatility=0.5, seed=seed))

    def test_a_split_or_a_unit_of_a_hundredth_has_its_own_rule(self):
        raw = walk(volatility=0.01)
        assert "jumps" not in rules(scaled(raw, slice(200, None), 100.0))
        assert "jumps" not in rules(scaled(raw, slice(0, 199), 10.0))
        assert "jumps" not in rules(scaled(raw, [100], 1e3))
