"""Resampled bars: labelled in the calendar's sense, and only complete ones."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import UsageError
from engine.data.calendar import INTERVAL_LENGTHS
from engine.data.resampling import resample_bars

VALUES = ["open", "high", "low", "close", "volume"]
INTERVALS = list(INTERVAL_LENGTHS)


def bars_at(stamps) -> pd.DataFrame:
    """A random walk on these timestamps, which are UTC."""
    stamps = pd.DatetimeIndex(stamps)
    stamps = stamps.tz_localize("UTC") if stamps.tz is None else stamps.tz_convert("UTC")
    rng = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(len(stamps))))
    return pd.DataFrame(
        {
            "timestamp": stamps.as_unit("us"),
            "symbol": "X",
            "open": close * 1.001,
            "high": close * (1.002 + 0.01 * rng.random(len(stamps))),
            "low": close * (0.998 - 0.01 * rng.random(len(stamps))),
            "close": close,
            "volume": rng.integers(1, 100, len(stamps)).astype(float),
        }
    )


def hours(day: str, first: str, last: str, every="1h", zone="America/New_York"):
    """Stamps of one day, from first to last on the clock of the exchange."""
    return pd.date_range(f"{day} {first}", f"{day} {last}", freq=every, tz=zone)


def sessions(*days: str, last="15:30", every="1h"):
    return np.concatenate([hours(day, "09:30", last, every).tz_convert("UTC") for day in days])


def labels(bars: pd.DataFrame) -> list[str]:
    return [text.removesuffix(" 00:00") for text in bars["timestamp"].dt.strftime("%m-%d %H:%M")]


class TestAlwaysOpen:
    def test_a_day_is_resampled_from_its_hours_from_midnight_utc(self):
        bars = bars_at(pd.date_range("2024-01-01", periods=48, freq="h"))
        days = resample_bars(bars, "1h", "1d", "24/7").bars
        assert labels(days) == ["01-01", "01-02"]
        own, second = bars.iloc[24:], days.iloc[1]
        assert second["open"] == own["open"].iloc[0]
        assert second["high"] == own["high"].max()
        assert second["low"] == own["low"].min()
        assert second["close"] == own["close"].iloc[-1]
        assert second["volume"] == own["volume"].sum()
        assert days.dtypes.equals(bars.dtypes)

    def test_a_week_begins_on_monday(self):
        days = bars_at(pd.date_range("2024-01-03", "2024-01-21", freq="D"))
        assert labels(resample_bars(days, "1d", "1w", "24/7").bars) == ["01-08", "01-15"]

    def test_a_first_bar_that_may_be_partial_is_left_out(self):
        bars = bars_at(pd.date_range("2024-01-01 01:00", "2024-01-03 23:00", freq="h"))
        assert labels(resample_bars(bars, "1h", "1d", "24/7").bars) == ["01-02", "01-03"]

    def test_an_incomplete_last_bar_is_left_out(self):
        bars = bars_at(pd.date_range("2024-01-01", "2024-01-02 22:00", freq="h"))
        assert labels(resample_bars(bars, "1h", "1d", "24/7").bars) == ["01-01"]

    def test_missing_bars_are_not_filled_in(self):
        stamps = pd.date_range("2024-01-01", "2024-01-05 23:00", freq="h")
        bars = bars_at(stamps[(stamps.day != 3) & (stamps.hour % 5 != 0) | (stamps.hour == 0)])
        bars = bars[bars["timestamp"].dt.day != 3].reset_index(drop=True)
        days = resample_bars(bars, "1h", "1d", "24/7").bars
        assert labels(days) == ["01-01", "01-02", "01-04", "01-05"]
        assert days["volume"].sum() == bars["volume"].sum()

    @pytest.mark.parametrize(("base", "interval"), list(combinations(INTERVALS, 2)))
    def test_every_interval_is_resampled_from_every_shorter_one(self, base, interval):
        count = int(3 * INTERVAL_LENGTHS[interval] / INTERVAL_LENGTHS[base])
        bars = bars_at(pd.Timestamp("2024-01-01") + np.arange(count) * INTERVAL_LENGTHS[base])
        coarse = resample_bars(bars, base, interval, "24/7").bars
        assert np.diff(coarse["timestamp"]).tolist() == [INTERVAL_LENGTHS[interval]] * 2
        groups = bars.groupby(np.arange(count) // (count // 3))
        expected = groups[VALUES].agg(
            {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        )
        np.testing.assert_array_equal(coarse[VALUES], expected)

    @pytest.mark.parametrize("interval", ["1h", "1d", "1w"])
    def test_no_bars_resample_to_no_bars(self, interval):
        assert resample_bars(bars_at([]), "1m", interval, "24/7").bars.empty


class TestExchange:
    def test_a_day_is_a_session_labelled_by_its_date_and_complete_at_its_close(self):
        stamps = sessions("2024-01-08", "2024-01-09")
        bars = bars_at(stamps)
        days = resample_bars(bars, "1h", "1d", "XNYS").bars
        assert labels(days) == ["01-08", "01-09"]
        assert days["volume"].tolist() == bars["volume"].to_numpy().reshape(2, 7).sum(1).tolist()
        assert labels(resample_bars(bars[:-1], "1h", "1d", "XNYS").bars) == ["01-08"]

    def test_a_session_that_ends_early_is_complete_at_its_own_close(self):
        stamps = sessions("2024-07-02").tolist() + sessions("2024-07-03", last="12:30").tolist()
        assert labels(resample_bars(bars_at(stamps), "1h", "1d", "XNYS").bars) == [
            "07-02",
            "07-03",
        ]

    def test_a_week_is_complete_at_the_close_of_its_last_session(self):
        # Good Friday is 03-29: the week is over at Thursday's close.
        days = ["2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28"]
        assert labels(resample_bars(bars_at(days), "1d", "1w", "XNYS").bars) == ["03-25"]
        assert labels(resample_bars(bars_at(days[:3]), "1d", "1w", "XNYS").bars) == []
        assert labels(resample_bars(bars_at(sessions(*days)), "1h", "1w", "XNYS").bars) == [
            "03-25"
        ]

    def test_a_week_that_begins_on_tuesday_is_complete_and_labelled_by_monday(self):
        # 2024-01-15 is a holiday.
        days = pd.date_range("2024-01-16", "2024-01-19", freq="D")
        assert labels(resample_bars(bars_at(days), "1d", "1w", "XNYS").bars) == ["01-15"]
        assert labels(resample_bars(bars_at(days[1:]), "1d", "1w", "XNYS").bars) == []

    def test_hours_are_counted_from_the_open_and_the_last_ends_with_the_session(self):
        bars = bars_at(sessions("2024-01-08", "2024-07-08", every="30min"))
        found = resample_bars(bars, "30m", "1h", "XNYS").bars
        local = found["timestamp"].dt.tz_convert("America/New_York").dt.strftime("%H:%M")
        assert local.tolist() == [f"{h:02d}:30" for h in range(9, 16)] * 2
        local = resample_bars(bars, "30m", "4h", "XNYS").bars["timestamp"]
        assert labels(pd.DataFrame({"timestamp": local})) == [
            "01-08 14:30",
            "01-08 18:30",
            "07-08 13:30",
            "07-08 17:30",
        ]

    def test_hours_are_counted_again_after_a_break(self):
        day = hours("2024-01-09", "09:00", "14:30", "30min", "Asia/Tokyo")
        local = day.tz_localize(None)
        bars = bars_at(
            day[(local.hour != 12) & (local != "2024-01-09 11:30") | (local == "2024-01-09 12:30")]
        )
        found = (
            resample_bars(bars, "30m", "1h", "XTKS").bars["timestamp"].dt.tz_convert("Asia/Tokyo")
        )
        assert found.dt.strftime("%H:%M").tolist() == [
            *("09:00", "10:00", "11:00"),
            *("12:30", "13:30", "14:30"),
        ]

    def test_a_session_that_opens_the_evening_before_belongs_to_the_next_day(self):
        sydney = bars_at(hours("2024-01-09", "10:00", "15:00", zone="Australia/Sydney"))
        assert labels(sydney)[0] == "01-08 23:00"
        assert labels(resample_bars(sydney, "1h", "1d", "XASX").bars) == ["01-09"]

    def test_bars_outside_trading_hours_are_left_out_and_reported(self):
        spans = [("2024-01-06", "10:00", "12:00"), ("2024-01-08", "04:00", "08:00")]
        spans += [("2024-01-08", "09:30", "15:30"), ("2024-01-08", "16:00", "19:00")]
        bars = bars_at(np.concatenate([hours(*span).tz_convert("UTC") for span in spans]))
        found = resample_bars(bars, "1h", "1d", "XNYS")
        assert labels(found.bars) == ["01-08"]
        assert len(found.outside_hours) == 3 + 5 + 4
        inside = bars[~bars["timestamp"].isin(found.outside_hours)]
        assert found.bars["volume"].tolist() == [inside["volume"].sum()]

    def test_clock_hours_belong_to_the_session_they_overlap(self):
        """Some vendors label New York's first hour 09:00 and not 09:30."""
        bars = bars_at(hours("2024-01-08", "09:00", "15:00"))
        found = resample_bars(bars, "1h", "1d", "XNYS")
        assert (labels(found.bars), len(found.outside_hours)) == (["01-08"], 0)
        assert found.bars["open"].iloc[0] == bars["open"].iloc[0]

    def test_days_without_a_session_are_left_out(self):
        days = bars_at(pd.date_range("2024-01-08", "2024-01-14", freq="D"))
        found = resample_bars(days, "1d", "1w", "XNYS")
        assert found.bars["volume"].tolist() == [days["volume"][:5].sum()]
        assert len(found.outside_hours) == 2

    def test_bars_all_outside_trading_hours_resample_to_no_bars(self):
        found = resample_bars(bars_at(["2024-01-06", "2024-01-07"]), "1d", "1w", "XNYS")
        assert found.bars.empty
        assert len(found.outside_hours) == 2

    def test_a_calendar_that_begins_too_late_is_an_error(self):
        with pytest.raises(UsageError, match="does not cover these bars") as caught:
            resample_bars(bars_at(pd.date_range("1980-01-01", periods=9)), "1d", "1w", "XTKS")
        assert caught.value.fix
