"""The bars that a calendar expects, and those that are missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import UsageError
from engine.data.bars import normalise_bars
from engine.data.coverage import (
    compute_coverage,
    expected_timestamps,
    find_gaps,
    infer_expected_timestamps,
)


def at(text):
    return pd.Timestamp(text, tz="UTC")


def bars(stamps):
    raw = pd.DataFrame({"timestamp": pd.DatetimeIndex(stamps)})
    return normalise_bars(raw.assign(open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0), "X")


def texts(stamps):
    return [f"{pd.Timestamp(stamp):%m-%d %H:%M}" for stamp in stamps]


def test_an_always_open_calendar_has_bars_without_a_break():
    found = expected_timestamps("24/7", "4h", at("2024-03-09 20:00"), at("2024-03-10 04:00"))
    assert texts(found) == ["03-09 20:00", "03-10 00:00", "03-10 04:00"]


def test_an_exchange_has_its_sessions():
    # Good Friday was the 29th.
    found = expected_timestamps("XNYS", "1d", at("2024-03-27"), at("2024-04-02"))
    assert texts(found) == ["03-27 00:00", "03-28 00:00", "04-01 00:00", "04-02 00:00"]


def test_a_session_has_bars_from_its_open_to_its_close_across_a_clock_change():
    found = expected_timestamps("XNYS", "1h", at("2024-03-08 19:00"), at("2024-03-11 15:00"))
    assert texts(found) == ["03-08 19:30", "03-08 20:30", "03-11 13:30", "03-11 14:30"]


def test_a_lunch_break_has_no_bars():
    found = expected_timestamps("XHKG", "1h", at("2024-03-08"), at("2024-03-09"))
    assert texts(found) == [f"03-08 {hour}:30" for hour in ("01", "02", "03")] + [
        f"03-08 {hour}:00" for hour in ("05", "06", "07")
    ]


def test_weeks_follow_each_other_on_any_calendar():
    found = expected_timestamps("XNYS", "1w", at("2024-01-01"), at("2024-01-16"))
    assert texts(found) == ["01-01 00:00", "01-08 00:00", "01-15 00:00"]


def test_an_unknown_calendar_is_an_error():
    with pytest.raises(UsageError, match="calendar that does not exist"):
        expected_timestamps("XNSY", "1d", at("2024-01-01"), at("2024-02-01"))


def test_bars_labelled_by_clock_hours_are_expected_there():
    made = bars(pd.date_range("2024-03-12 13:00", periods=7, freq="h"))
    assert texts(infer_expected_timestamps(made, "XNYS", "1h")) == [
        f"03-12 {hour}:00" for hour in range(13, 20)
    ]
    half = bars(pd.date_range("2024-03-12 13:30", periods=7, freq="h"))
    assert texts(infer_expected_timestamps(half, "XNYS", "1h"))[0] == "03-12 13:30"


@pytest.mark.parametrize(("calendar", "known"), [("XNYS", "1970-01-02"), ("XTKS", "1997-01-06")])
def test_no_bar_is_missing_before_the_holidays_are_known(calendar, known):
    early = pd.bdate_range("1962-01-02", "1962-03-30").delete([5, 30])
    later = pd.bdate_range(known, periods=30)
    made = bars(early.append(later.delete([20])))
    (found,) = find_gaps(made, infer_expected_timestamps(made, calendar, "1d"))
    assert (found.first, found.bars) == (at(later[20]), 1)


def test_gaps_are_runs_of_missing_bars_between_the_first_and_the_last():
    stamps = pd.date_range("2024-01-01", periods=20)
    made = bars(stamps.delete([4, 5, 6, 11]))
    found = find_gaps(made, infer_expected_timestamps(made, "24/7", "1d"))
    assert [(each.first, each.last, each.bars) for each in found] == [
        (at("2024-01-05"), at("2024-01-07"), 3),
        (at("2024-01-12"), at("2024-01-12"), 1),
    ]
    assert find_gaps(bars(stamps), infer_expected_timestamps(bars(stamps), "24/7", "1d")) == []


def test_a_weekend_is_not_a_gap_on_an_exchange():
    made = bars(["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-13"])
    found = find_gaps(made, infer_expected_timestamps(made, "XNYS", "1d"))
    assert [(each.first, each.bars) for each in found] == [(at("2024-03-12"), 1)]


def test_a_day_labelled_by_local_midnight_stands_for_its_session():
    days = pd.DatetimeIndex(["2024-03-07", "2024-03-08", "2024-03-12", "2024-03-13"])
    made = bars(days.tz_localize("Asia/Shanghai").tz_convert("UTC"))
    expected = infer_expected_timestamps(made, "XSHG", "1d")
    assert texts(expected) == ["03-06 16:00", "03-07 16:00", "03-11 00:00"] + [
        f"03-{day} 16:00" for day in (11, 12)
    ]
    assert [each.first for each in find_gaps(made, expected)] == [at("2024-03-11")]


def test_the_daily_halt_of_futures_is_not_expected():
    hours = expected_timestamps("CMES", "1h", at("2024-03-04"), at("2024-03-08 21:00"))
    hours = hours[hours != np.datetime64("2024-03-06T10")]
    local = pd.DatetimeIndex(hours).tz_localize("UTC").tz_convert("America/Chicago")
    made = bars(hours[local.hour != 16])
    found = find_gaps(made, infer_expected_timestamps(made, "CMES", "1h"))
    assert [(each.first, each.bars) for each in found] == [(at("2024-03-06 10:00"), 1)]


def test_the_share_of_each_part_counts_the_last_edge_and_skips_parts_without_bars():
    stamps = pd.date_range("2024-01-01", periods=8)
    made = bars(stamps.delete([1, 2, 3]))
    edges = np.array(["2024-01-01", "2024-01-03", "2024-01-05", "2024-01-08"], dtype="M8[us]")
    wanted = np.asarray(stamps, dtype="M8[us]")
    np.testing.assert_allclose(compute_coverage(made, wanted, edges), [0.5, 0.0, 1.0])
    later = np.array(["2024-01-08", "2024-02-01", "2024-03-01"], dtype="M8[us]")
    np.testing.assert_allclose(compute_coverage(made, wanted, later), [1.0, np.nan])


@pytest.mark.parametrize("calendar", ["24/7", "XNYS"])
def test_a_month_is_missing_where_no_day_of_it_labels_a_bar(calendar):
    for day, freq in (("2023-01-31", "ME"), ("2023-01-01", "MS")):
        made = bars(pd.date_range(day, periods=12, freq=freq).delete([4, 5]))
        (found,) = find_gaps(made, infer_expected_timestamps(made, calendar, "1mo"))
        assert (found.first, found.last, found.bars) == (at("2023-05-01"), at("2023-06-01"), 2)
