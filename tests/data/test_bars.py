from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from engine.data.bars import defects, drop_unfinished, normalise, require_sound
from engine.errors import BadBarsError

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


def rules(raw, interval="1d"):
    return [defect.rule for defect in defects(normalise(raw, "X"), interval, NOW)]


prices = st.floats(1e-6, 1e6)


@st.composite
def sound_tables(draw):
    count = draw(st.integers(3, 10))
    opens, closes = (
        np.array(draw(st.lists(prices, min_size=count, max_size=count))) for _ in "oc"
    )
    up, down = (
        np.array(draw(st.lists(st.floats(0, 0.5), min_size=count, max_size=count))) for _ in "ud"
    )
    highs = np.maximum(opens, closes) * (1 + up)
    lows = np.minimum(opens, closes) * (1 - down)
    volumes = draw(st.lists(st.floats(0, 1e12), min_size=count, max_size=count))
    return table(opens, highs, lows, closes, volumes)


def plant_nan(raw, row, column):
    raw.loc[row, column] = np.nan


def plant_infinity(raw, row, column):
    raw.loc[row, column] = np.inf


def plant_zero(raw, row, column):
    raw.loc[row, column if column != "volume" else "close"] = 0.0


def plant_negative_volume(raw, row, _column):
    raw.loc[row, "volume"] = -1.0


def plant_low_high(raw, row, _column):
    raw.loc[row, "high"] = 0.999 * max(raw.loc[row, "open"], raw.loc[row, "close"])


def plant_high_low(raw, row, _column):
    raw.loc[row, "low"] = 1.001 * min(raw.loc[row, "open"], raw.loc[row, "close"])


def plant_duplicate(raw, row, _column):
    raw.loc[row, "timestamp"] = raw.loc[row - 1, "timestamp"]


def plant_disorder(raw, row, _column):
    raw.loc[row, "timestamp"] = raw.loc[0, "timestamp"] - pd.Timedelta(days=row)


PLANTED = {
    plant_nan: "missing",
    plant_infinity: "missing",
    plant_zero: "price",
    plant_negative_volume: "volume",
    plant_low_high: "range",
    plant_high_low: "range",
    plant_duplicate: "duplicate",
    plant_disorder: "order",
}


@given(raw=sound_tables())
@settings(max_examples=20, deadline=None)
def test_sound_bars_break_no_rule(raw):
    assert rules(raw) == []


@given(
    raw=sound_tables(),
    plant=st.sampled_from(list(PLANTED)),
    column=st.sampled_from(["open", "high", "low", "close", "volume"]),
    data=st.data(),
)
@settings(max_examples=50, deadline=None)
def test_a_planted_defect_is_found_and_its_bar_is_named(raw, plant, column, data):
    row = data.draw(st.integers(1, len(raw) - 1))
    plant(raw, row, column)
    bars = normalise(raw, "X")
    found = {defect.rule: defect.rows.tolist() for defect in defects(bars, "1d", NOW)}
    assert found[PLANTED[plant]] == [row]
    with pytest.raises(BadBarsError) as error:
        require_sound(bars, "1d", NOW, "a test")
    assert f"{bars['timestamp'].iloc[row]:%Y-%m-%d}" in error.value.found
    assert "bars of X" in error.value.problem
    assert error.value.fix


def test_bars_have_one_shape_whatever_the_source_gave():
    raw = plain(3)[["close", "low", "open", "timestamp", "high", "volume"]]
    raw["extra"] = "text"
    raw["volume"] = raw["volume"].astype("int64")
    bars = normalise(raw, "X")
    assert list(bars) == ["timestamp", "symbol", "open", "high", "low", "close", "volume"]
    assert str(bars["timestamp"].dtype) == "datetime64[us, UTC]"
    assert {str(bars[column].dtype) for column in list(bars)[2:]} == {"float64"}
    assert set(bars["symbol"]) == {"X"}


def test_stamps_of_another_zone_become_utc():
    raw = plain(2)
    raw["timestamp"] = raw["timestamp"].dt.tz_localize("America/New_York")
    assert normalise(raw, "X")["timestamp"].iloc[0] == pd.Timestamp("2020-01-01 05:00", tz="UTC")


def test_a_volume_of_zero_is_allowed_and_a_missing_one_is_not():
    assert rules(plain(3, volumes=[0.0, 0.0, 0.0])) == []
    assert rules(plain(3, volumes=[1.0, np.nan, 1.0])) == ["missing"]


@pytest.mark.parametrize(("excess", "expected"), [(1e-7, []), (1e-5, ["range"])])
def test_a_high_may_miss_the_close_by_the_rounding_of_a_32_bit_price(excess, expected):
    raw = table([10.0] * 3, [11.0] * 3, [9.0] * 3, [11.0 * (1 + excess)] * 3)
    assert rules(raw) == expected


def test_a_bar_that_breaks_two_rules_on_values_is_told_once():
    raw = plain(3)
    raw.loc[1, "open"] = 0.0
    assert rules(raw) == ["price"]


def test_the_newest_bar_is_dropped_until_it_is_over():
    bars = normalise(plain(3), "X")
    last_open = bars["timestamp"].iloc[-1]
    over = last_open + pd.Timedelta(days=1)
    assert len(drop_unfinished(bars, "1d", over)) == 3
    assert len(drop_unfinished(bars, "1d", over - pd.Timedelta(seconds=1))) == 2


def test_two_bars_that_are_not_over_mean_a_wrong_clock_or_zone():
    now = pd.Timestamp("2020-01-02", tz="UTC")
    bars = drop_unfinished(normalise(plain(3), "X"), "1d", now)
    assert [defect.rule for defect in defects(bars, "1d", now)] == ["future"]


def test_bars_of_another_interval_are_refused_and_told_theirs():
    bars = normalise(plain(30, freq="h"), "X")
    with pytest.raises(BadBarsError, match="1h after the one before") as error:
        require_sound(bars, "1d", NOW, "a test")
    assert "1h" in error.value.fix


def test_gaps_and_weekends_do_not_change_the_interval():
    raw = plain(30).iloc[[0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 20, 29]]
    assert rules(raw) == []


def test_all_broken_rules_are_told_at_once():
    raw = plain(10)
    plant_nan(raw, 2, "open")
    plant_zero(raw, 4, "close")
    plant_duplicate(raw, 7, "")
    with pytest.raises(BadBarsError) as error:
        require_sound(normalise(raw, "X"), "1d", NOW, "a test")
    for stamp in ("2020-01-03", "2020-01-05", "2020-01-07"):
        assert stamp in str(error.value)


def test_many_bad_bars_are_told_by_the_first_three_and_the_last():
    raw = plain(200)
    raw.loc[:59, "open"] = 0.0
    with pytest.raises(BadBarsError) as error:
        require_sound(normalise(raw, "X"), "1d", NOW, "a test")
    assert "60 of 200" in error.value.problem
    assert "2020-01-03" in error.value.found
    assert "2020-01-04" not in error.value.found
    assert "57 more, the last 2020-02-29" in error.value.found


@pytest.mark.parametrize(
    ("bad", "advice"),
    [
        (range(20), "`start: 2020-01-21`"),
        (range(80, 100), "`end: 2020-03-20`"),
        (range(10, 90), "correct these bars"),
    ],
)
def test_the_cut_that_leaves_most_bars_is_advised(bad, advice):
    raw = plain(100)
    raw.loc[list(bad), "open"] = 0.0
    with pytest.raises(BadBarsError) as error:
        require_sound(normalise(raw, "X"), "1d", NOW, "a test")
    assert advice in error.value.fix
