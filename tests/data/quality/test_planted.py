"""Random bars: valid ones break no rule, and a planted defect is found at its bar."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from tests.data.quality.tables import check_table, rows, scaled, table, walk
from tests.hypothesis_examples import examples

prices = st.floats(60.0, 100.0)


@st.composite
def sound_tables(draw):
    count = draw(st.integers(5, 10))
    opens, closes = (
        np.array(draw(st.lists(prices, min_size=count, max_size=count))) for _ in "oc"
    )
    up, down = (
        np.array(draw(st.lists(st.floats(0, 0.4), min_size=count, max_size=count))) for _ in "ud"
    )
    highs = np.maximum(opens, closes) * (1 + up)
    lows = np.minimum(opens, closes) * (1 - down)
    volumes = draw(st.lists(st.floats(0, 1e12), min_size=count, max_size=count))
    return table(opens, highs, lows, closes, volumes)


def plant_nan(raw, row, column):
    raw.loc[row, column if column != "open" else "close"] = np.nan


def plant_infinity(raw, row, column):
    raw.loc[row, column] = np.inf


def plant_missing_open(raw, row, column):
    raw.loc[row, "open"] = 0.0 if column == "volume" else np.nan


def plant_zero(raw, row, column):
    raw.loc[row, column if column not in {"volume", "open"} else "close"] = 0.0


def plant_negative_volume(raw, row, _column):
    raw.loc[row, "volume"] = -1.0


def plant_low_high(raw, row, _column):
    raw.loc[row, "high"] = 0.999 * max(raw.loc[row, "open"], raw.loc[row, "close"])


def plant_high_low(raw, row, _column):
    raw.loc[row, "low"] = 1.001 * min(raw.loc[row, "open"], raw.loc[row, "close"])


def plant_duplicate(raw, row, _column):
    raw.loc[row] = raw.loc[row - 1]


def plant_conflict(raw, row, _column):
    raw.loc[row] = raw.loc[row - 1]
    raw.loc[row, "volume"] += raw.loc[row, "volume"] + 1.0


def plant_disorder(raw, row, _column):
    raw.loc[row, "timestamp"] = raw.loc[0, "timestamp"] - pd.Timedelta(days=1)


PLANTED = {
    plant_nan: "missing_values",
    plant_infinity: "missing_values",
    plant_missing_open: "missing_open",
    plant_zero: "nonpositive_prices",
    plant_negative_volume: "negative_volume",
    plant_low_high: "price_range",
    plant_high_low: "price_range",
    plant_duplicate: "duplicates",
    plant_conflict: "conflicting_duplicates",
    plant_disorder: "order",
}


@given(raw=sound_tables())
@examples(15)
def test_valid_bars_have_no_errors(raw):
    assert check_table(raw).errors == ()


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
@given(
    raw=sound_tables(),
    column=st.sampled_from(["open", "high", "low", "close", "volume"]),
    data=st.data(),
)
@examples(4)
def test_a_planted_defect_breaks_its_rule_alone(raw, plant, column, data):
    row = data.draw(st.integers(1, len(raw) - 1))
    plant(raw, row, column)
    rule = PLANTED[plant]
    assert rows(raw, rule) == [row]
    (error,) = check_table(raw).errors
    assert (error.rule, error.symbol, error.count) == (rule, "X", 1)
    assert error.first == error.last == f"{raw['timestamp'].iloc[row]:%Y-%m-%d}"


@given(
    seed=st.integers(0, 1_000),
    row=st.integers(20, 370),
    factor=st.floats(0.001, 1_000).filter(lambda factor: abs(np.log(factor)) > 0.01),
    rush=st.floats(10.0, 50.0),
)
@examples(25)
def test_a_lasting_jump_or_crash_is_not_an_error(seed, row, factor, rush):
    """The jump is within a bar, from its open to its close, with high turnover."""
    raw = scaled(walk(seed=seed), slice(row + 1, None), factor)
    raw.loc[row, "close"] *= factor
    raw.loc[row, "high"] = max(raw.loc[row, ["open", "high", "close"]])
    raw.loc[row, "low"] = min(raw.loc[row, ["open", "low", "close"]])
    raw.loc[row, "volume"] *= rush
    assert check_table(raw).errors == ()


@given(
    seed=st.integers(0, 1_000),
    row=st.integers(20, 370),
    factor=st.sampled_from([0.3, 0.35, 0.45, 0.48, 0.52, 0.55, 1.9, 2.2, 3.3]),
    rush=st.floats(8.0, 50.0),
)
@examples(25)
def test_a_lasting_overnight_jump_is_not_an_error(seed, row, factor, rush):
    raw = scaled(walk(seed=seed), slice(row, None), factor)
    raw.loc[row, "volume"] *= rush / factor
    assert check_table(raw).errors == ()


@given(
    seed=st.integers(0, 1_000),
    row=st.integers(20, 370),
    factor=st.one_of(st.floats(0.001, 0.45), st.floats(2.3, 40.0)),
    length=st.integers(1, 2),
)
@examples(25)
def test_a_spike_that_reverts_is_a_bad_tick_of_its_bars(seed, row, factor, length):
    bad = list(range(row, row + length))
    raw = scaled(walk(seed=seed), bad, factor)
    examined = check_table(raw)
    assert {finding.rule for finding in examined.errors} <= {"bad_ticks", "unit_errors"}
    assert rows(raw, "bad_ticks") + rows(raw, "unit_errors") == bad


def test_an_infinite_open_is_only_a_missing_value() -> None:
    raw = pd.DataFrame({"timestamp": pd.date_range("2020-01-01", periods=5, tz="UTC")})
    raw[["open", "high", "low", "close"]] = 60.0
    raw["volume"] = 1.0
    plant_infinity(raw, 1, "open")
    assert [finding.rule for finding in check_table(raw).errors] == ["missing_values"]


EXTREMES = [5e-324, 1e-320, 1e-12, 1e16, 1e300, 1.79e308, -1e308, np.inf, -np.inf, np.nan, 0.0]


@given(
    seed=st.integers(0, 1_000),
    cells=st.lists(
        st.tuples(
            st.integers(0, 29),
            st.sampled_from(["open", "high", "low", "close", "volume"]),
            st.sampled_from(EXTREMES),
        ),
        min_size=1,
        max_size=4,
    ),
    whole=st.booleans(),
)
@examples(12)
def test_no_number_stops_the_checks_and_none_passes_unseen(seed, cells, whole):
    raw = walk(30, seed=seed)
    for row, column, value in cells:
        raw.loc[slice(None) if whole else row, column] = value
    _, column, value = cells[-1]
    is_fit = column == "volume" and (0.0 <= value <= 1e25 or (whole and np.isnan(value)))
    errors = check_table(raw).errors
    assert is_fit or errors != ()
