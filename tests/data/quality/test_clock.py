"""Timestamps whose clock is not UTC are refused, and the zone to declare is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.calendar import trading_schedule
from tests.data.quality.hours import (
    bars_at,
    finding,
    findings,
    local_stamps,
    on_wall,
    session_stamps,
)

YEAR = ("2022-01-03", "2022-12-20")
SUMMER = ("2022-06-01", "2022-07-15")

EXCHANGES = {
    "XNYS": "America/New_York",
    "XLON": "Europe/London",
    "XETR": "Europe/Berlin",
    "XTKS": "Asia/Tokyo",
    "XHKG": "Asia/Hong_Kong",
    "XASX": "Australia/Sydney",
    "XBOM": "Asia/Kolkata",
    "BVMF": "America/Sao_Paulo",
    "CMES": "America/Chicago",
}


def clocks(found):
    return [one for one in found if one.rule == "clock"]


class TestHoursOfAnExchange:
    @pytest.mark.parametrize("calendar", EXCHANGES)
    @pytest.mark.parametrize(("interval", "span"), [("1h", YEAR), ("15m", SUMMER), ("4h", SUMMER)])
    @pytest.mark.parametrize(
        "style", [{}, {"pause": False}, {"floor": True}], ids=["open", "through", "clock"]
    )
    def test_nothing_is_found_in_its_hours_in_utc(self, calendar, interval, span, style):
        stamps = session_stamps(calendar, *span, interval, **style)
        assert findings(bars_at(stamps), interval, calendar) == ()

    @pytest.mark.parametrize(("calendar", "zone"), EXCHANGES.items())
    @pytest.mark.parametrize(("interval", "span"), [("1h", YEAR), ("30m", SUMMER)])
    def test_its_local_time_is_refused_and_named(self, calendar, zone, interval, span):
        stamps = on_wall(session_stamps(calendar, *span, interval), zone)
        found = finding(bars_at(stamps.unique()), interval, calendar, "clock")
        assert found.severity == "error"
        assert f"they fit the clock of {zone}" in found.sentence
        assert f"`timezone: {zone}`" in found.advice

    @pytest.mark.parametrize("calendar", EXCHANGES)
    @pytest.mark.parametrize("hours", [-5, 5.5, 8])
    def test_a_fixed_offset_is_refused(self, calendar, hours):
        stamps = session_stamps(calendar, *SUMMER) + pd.Timedelta(hours=hours)
        assert clocks(findings(bars_at(stamps), "1h", calendar))

    @pytest.mark.parametrize("calendar", sorted(set(EXCHANGES) - {"CMES"}))
    @pytest.mark.parametrize("hours", [-1, 1])
    def test_one_hour_off_is_refused(self, calendar, hours):
        stamps = session_stamps(calendar, *SUMMER) + pd.Timedelta(hours=hours)
        assert clocks(findings(bars_at(stamps), "1h", calendar))

    @pytest.mark.parametrize("zone", ["Europe/London", "America/Chicago", "Europe/Athens"])
    def test_the_clock_of_another_place_is_named(self, zone):
        stamps = on_wall(session_stamps("XNYS", *YEAR), zone)
        assert f"`timezone: {zone}`" in finding(bars_at(stamps), "1h", "XNYS", "clock").advice

    @pytest.mark.parametrize("zone", [*EXCHANGES.values(), "Etc/GMT+5", "Etc/GMT-3"])
    def test_the_named_zone_makes_the_bars_pass(self, zone):
        stamps = on_wall(session_stamps("XLON", *YEAR, "30m"), zone)
        found = clocks(findings(bars_at(stamps), "30m", "XLON"))
        named = found[0].advice.split("`")[1].removeprefix("timezone: ") if found else "UTC"
        mended = stamps.tz_localize(named).tz_convert("UTC").tz_localize(None)
        assert findings(bars_at(mended), "30m", "XLON") == ()

    def test_hours_of_no_zone_are_refused_without_one(self):
        stamps = session_stamps("XNYS", *YEAR)
        odd = (stamps - pd.Timestamp(YEAR[0])).days // 7 % 2 == 1
        moved = stamps.where(~odd, stamps - pd.Timedelta(hours=6))
        found = finding(bars_at(moved), "1h", "XNYS", "clock")
        assert "no time zone makes them fit" in found.sentence
        assert "`quality: {clock: warn}`" in found.advice

    @pytest.mark.parametrize("part", [slice(-70, None), slice(0, 70), slice(700, 800)])
    def test_some_weeks_on_another_clock_are_refused(self, part):
        stamps = session_stamps("XNYS", "2019-01-02", "2022-12-20")
        local = on_wall(stamps, "America/New_York")
        mixed = stamps.to_series().reset_index(drop=True)
        mixed.iloc[part] = local[part]
        found = finding(bars_at(pd.DatetimeIndex(mixed).sort_values()), "1h", "XNYS", "clock")
        assert "no time zone makes them fit" in found.sentence

    def test_a_zone_that_was_declared_wrongly_is_corrected(self):
        stamps = on_wall(session_stamps("XNYS", *YEAR), "America/New_York")
        read = stamps.tz_localize("Europe/London").tz_convert("UTC").tz_localize(None)
        found = finding(bars_at(read), "1h", "XNYS", "clock", timezone="Europe/London")
        assert "`timezone: America/New_York`" in found.advice

    @pytest.mark.parametrize("days", [1, 2, 3])
    def test_few_days_are_enough(self, days):
        stamps = session_stamps("XNYS", "2022-06-06", f"2022-06-{5 + days:02d}")
        assert findings(bars_at(stamps), "1h", "XNYS") == ()
        local = finding(bars_at(on_wall(stamps, "America/New_York")), "1h", "XNYS", "clock")
        assert "`timezone: America/New_York`" in local.advice

    def test_a_dataset_may_accept_the_bars_as_they_are(self):
        stamps = on_wall(session_stamps("XNYS", *SUMMER), "America/New_York")
        found = finding(bars_at(stamps), "1h", "XNYS", "clock", policy={"clock": "warn"})
        assert found.severity == "warn"


class TestOtherHours:
    """Bars before the open, after the close and around the clock are right in UTC too."""

    @pytest.mark.parametrize(
        ("begin", "end"),
        [("04:00", "20:00"), ("07:00", "20:00"), ("08:00", "18:00"), ("04:00", "16:00")],
    )
    @pytest.mark.parametrize("span", [YEAR, SUMMER])
    def test_extended_hours_of_new_york(self, begin, end, span):
        stamps = local_stamps("XNYS", *span, begin, end)
        assert findings(bars_at(stamps), "1h", "XNYS") == ()
        wall = on_wall(stamps, "America/New_York")
        assert (
            "`timezone: America/New_York`" in finding(bars_at(wall), "1h", "XNYS", "clock").advice
        )

    def test_volume_shows_the_hours_of_another_exchange(self):
        """From 8:00 to 22:00 in Berlin, a season without a change of clocks."""
        stamps = local_stamps("XETR", *SUMMER, "08:00", "22:00", "30m", "Europe/Berlin")
        local = stamps + pd.Timedelta(hours=2)
        within = (local.hour >= 9) & (local.hour + local.minute / 60 < 17.5)
        volume = np.where(within, 1_000.0, 20.0)
        assert clocks(findings(bars_at(stamps, volume=volume), "30m", "XETR")) == []
        found = finding(bars_at(local, volume=volume), "30m", "XETR", "clock")
        assert "`timezone: Europe/Berlin`" in found.advice

    @pytest.mark.parametrize("calendar", ["XNYS", "XTKS", "CMES", "24/5"])
    def test_a_market_around_the_clock(self, calendar):
        stamps = pd.date_range(*YEAR, freq="h")
        assert clocks(findings(bars_at(stamps), "1h", calendar)) == []

    @pytest.mark.parametrize("calendar", ["XNYS", "CMES", "24/5"])
    def test_foreign_exchange(self, calendar):
        stamps = foreign_exchange_hours(*YEAR)
        assert clocks(findings(bars_at(stamps), "1h", calendar)) == []

    def test_futures_with_their_daily_halt(self):
        table = trading_schedule("CMES", *map(pd.Timestamp, YEAR))
        full = session_stamps("CMES", *YEAR)
        halts = (table["close"] - pd.Timedelta(hours=1)).dt.tz_localize(None)
        stamps = full[~full.isin(halts)]
        assert findings(bars_at(stamps), "1h", "CMES") == ()
        wall = on_wall(stamps, "America/Chicago")
        found = clocks(findings(bars_at(wall), "1h", "CMES"))
        assert "`timezone: America/Chicago`" in found[0].advice

    def test_a_file_that_begins_and_ends_within_a_day(self):
        stamps = session_stamps("XNYS", "2022-06-06", "2022-06-09")
        assert clocks(findings(bars_at(stamps[5:-4]), "1h", "XNYS")) == []

    def test_a_thin_share_that_trades_late_and_in_the_closing_auction(self):
        stamps = session_stamps("XLON", *YEAR, "30m")
        rng = np.random.default_rng(0)
        kept = stamps[rng.random(len(stamps)) < 0.2]
        closes = trading_schedule("XLON", *map(pd.Timestamp, YEAR))["close"].dt.tz_localize(None)
        traded = kept.union(pd.DatetimeIndex(closes))
        assert clocks(findings(bars_at(traded), "30m", "XLON")) == []

    def test_an_unknown_half_day_and_an_outage(self):
        stamps = session_stamps("XNYS", *YEAR)
        day = stamps.normalize()
        early = (day == pd.Timestamp("2022-05-10")) & (stamps.hour >= 16)
        late = (day == pd.Timestamp("2022-08-10")) & (stamps.hour < 17)
        assert clocks(findings(bars_at(stamps[~(early | late)]), "1h", "XNYS")) == []


def foreign_exchange_hours(first, last):
    """Hours from Sunday 17:00 to Friday 17:00 in New York, naive in UTC."""
    stamps = pd.date_range(first, last, freq="h", tz="UTC")
    local = stamps.tz_convert("America/New_York")
    shifted = local.tz_localize(None) + pd.Timedelta(hours=7)
    return stamps[shifted.day_of_week < 5].tz_localize(None)


class TestDays:
    DAYS = pd.DatetimeIndex(trading_schedule("XNYS", *map(pd.Timestamp, YEAR)).index)

    def local(self, time, zone="America/New_York"):
        stamps = (self.DAYS + pd.Timedelta(time)).tz_localize(zone)
        return stamps.tz_convert("UTC").tz_localize(None)

    @pytest.mark.parametrize(
        ("stamps", "times"),
        [
            ("open", "13:30 and 14:30"),
            ("close", "20:00 and 21:00"),
            ("naive close", "16:00"),
            ("fixed midnight", "05:00"),
        ],
    )
    def test_days_at_a_time_of_day_are_refused(self, stamps, times):
        at = {
            "open": self.local("09:30:00"),
            "close": self.local("16:00:00"),
            "naive close": self.DAYS + pd.Timedelta("16:00:00"),
            "fixed midnight": self.DAYS + pd.Timedelta("05:00:00"),
        }[stamps]
        found = finding(bars_at(at), "1d", "XNYS", "clock")
        assert found.severity == "error"
        assert f"bars lie at {times} UTC" in found.sentence
        assert found.advice == "add `timezone: America/New_York` to the files source"

    @pytest.mark.parametrize(
        ("calendar", "zone", "times"),
        [
            ("XNYS", "America/New_York", "04:00 and 05:00"),
            ("XSHG", "Asia/Shanghai", "16:00"),
            ("XTKS", "Asia/Tokyo", "15:00"),
            ("XLON", "Europe/London", "00:00 and 23:00"),
        ],
    )
    def test_midnights_of_the_exchange_are_a_warning(self, calendar, zone, times):
        days = trading_schedule(calendar, *map(pd.Timestamp, YEAR)).index
        stamps = days.tz_localize(zone).tz_convert("UTC").tz_localize(None)
        (found,) = findings(bars_at(stamps), "1d", calendar)
        assert (found.rule, found.severity) == ("day_labels", "warn")
        assert f"bars lie at {times} UTC, midnight of {zone}" in found.sentence
        assert f"`timezone: {zone}`" in found.advice

    def test_dates_are_right(self):
        assert findings(bars_at(self.DAYS), "1d", "XNYS") == ()

    @pytest.mark.parametrize(("days", "text"), [(-1, "before"), (1, "after")])
    def test_dates_of_the_day_beside_are_refused(self, days, text):
        stamps = self.DAYS + pd.Timedelta(days=days)
        found = finding(bars_at(stamps), "1d", "XNYS", "clock")
        assert f"every bar is dated the day {text} its session" in found.sentence

    def test_a_zone_that_moved_the_dates_is_to_be_removed(self):
        stamps = self.DAYS - pd.Timedelta(days=1)
        found = finding(bars_at(stamps), "1d", "XNYS", "clock", timezone="America/New_York")
        assert "remove `timezone: America/New_York`" in found.advice

    def test_days_of_a_market_that_never_closes_are_refused_on_an_exchange(self):
        stamps = pd.date_range(*YEAR, freq="D")
        found = finding(bars_at(stamps), "1d", "XNYS", "clock")
        assert "more than holidays explain" in found.sentence
        assert "`24/7`" in found.advice

    def test_a_few_unknown_holidays_are_a_warning(self):
        stamps = self.DAYS.union(pd.DatetimeIndex(["2022-05-30", "2022-07-04"]))
        assert [one.rule for one in findings(bars_at(stamps), "1d", "XNYS")] == ["closed_days"]

    def test_days_of_foreign_exchange_name_when_they_begin(self):
        days = pd.bdate_range(*YEAR) - pd.Timedelta(days=1)
        stamps = (days + pd.Timedelta("17:00:00")).tz_localize("America/New_York")
        stamps = stamps.tz_convert("UTC").tz_localize(None)
        found = finding(bars_at(stamps), "1d", "24/5", "clock")
        assert '`day_begins: "17:00 America/New_York"`' in found.advice
