"""Timestamps of files: dates, numbers since 1970, local times."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import BarsParseError, StrategyError

NEW_YORK = {"timezone": "America/New_York", "interval": "1h"}


class TestDates:
    @pytest.mark.parametrize(
        ("dates", "cells"),
        [
            ("day_first", ["31/01/2020", "01/02/2020"]),
            ("day_first", ["31.01.2020", "1.2.2020"]),
            ("day_first", ["31-01-20", "01-02-20"]),
            ("month_first", ["01/31/2020", "2/1/2020"]),
            ("day_first", ["2020-01-31", "2020-02-01"]),
            ("iso", ["2020-01-31", "20200201"]),
            ("%d %b %Y", ["31 Jan 2020", "01 Feb 2020"]),
            ("%Y.%m.%d", ["2020.01.31", "2020.02.01"]),
            ("%d%m%Y", ["31012020", "01022020"]),
        ],
    )
    def test_declared_dates_are_parsed(self, reader, dates, cells):
        assert reader.stamps(cells, dates=dates) == ["2020-01-31", "2020-02-01"]

    @pytest.mark.parametrize(
        ("dates", "cell"),
        [
            ("day_first", "31-01-20 23:59"),
            ("day_first", "31/01/2020 23:59:00"),
            ("month_first", "1/31/2020 11:59 PM"),
            ("month_first", "1/31/2020 11:59:00.000 pm"),
            ("%Y-%m-%d %I-%M-%p", "2020-01-31 11-59-PM"),
        ],
    )
    def test_dates_with_times_are_parsed(self, reader, dates, cell):
        assert reader.stamps([cell], dates=dates) == ["2020-01-31 23:59"]

    def test_iso_dates_are_accepted_under_day_first(self, reader):
        """Two files of a real folder: one saved by a spreadsheet, one not."""
        for cell in ("29-04-13 23:59", "2013-04-29 23:59:59"):
            assert reader.stamps([cell], dates="day_first")[0].startswith("2013-04-29 23:59")

    def test_an_ambiguous_date_is_refused_with_both_readings(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(["01/01/2020", "02/01/2020", "03/01/2020"])
        assert caught.value.rule == "ambiguous_dates"
        assert caught.value.found == (
            "02/01/2020: 2020-01-02 with the day first, 2020-02-01 with the month first"
        )
        assert caught.value.where.endswith("line 3")
        assert "`dates: day_first` or `dates: month_first`" in caught.value.fix

    @pytest.mark.parametrize(
        ("cells", "only", "read"),
        [
            (["12/01/2020", "13/01/2020"], "day_first", ["2020-01-12", "2020-01-13"]),
            (["1/12/20", "1/13/20"], "month_first", ["2020-01-12", "2020-01-13"]),
        ],
    )
    def test_an_undeclared_order_is_refused_with_the_key(self, reader, cells, only, read):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(cells)
        assert caught.value.fix.startswith(f"add `dates: {only}`")
        assert "month first" not in caught.value.found or only == "month_first"
        assert reader.stamps(cells, dates=only) == read

    @pytest.mark.parametrize(
        ("dates", "cells", "line", "expected"),
        [
            ("day_first", ["12/01/2020", "01/13/2020"], 3, "the day first, as in the first row"),
            ("day_first", ["31/01/2020", "01/02/2020 23:00"], 3, "as in the first row"),
            ("day_first", ["Jan 31, 2020"], 2, "a date with the day first"),
            ("iso", ["31/01/2020"], 2, "ISO 8601"),
            ("%d.%m.%Y", ["31.01.2020", "2020-02-01"], 3, "a date written %d.%m.%Y"),
            ("day_first", ["31/01/2020", ""], 3, "the day first"),
            (None, ["yesterday"], 2, "ISO 8601"),
            (None, ["1580428800", "x"], 3, "a number since 1970, as in the first row"),
            ("iso", ["1580428800", "1580515200"], 2, "ISO 8601"),
            ("day_first", ["1580428800", "1580515200"], 2, "the day first"),
            (None, ["2020-01-31", "01/02/2020"], 3, "ISO 8601"),
        ],
    )
    def test_an_invalid_date_is_reported_with_its_line(self, reader, dates, cells, line, expected):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(cells, dates=dates)
        assert caught.value.where.endswith(f"line {line}")
        assert expected in caught.value.expected
        assert caught.value.rule == "unreadable"

    @pytest.mark.parametrize("dates", [None, "iso", "day_first", "seconds", "%d.%m.%Y"])
    @pytest.mark.parametrize("timezone", [None, "UTC"])
    def test_a_file_without_rows_has_no_bars(self, reader, dates, timezone):
        assert reader.stamps([], dates=dates, timezone=timezone, interval="1h") == []

    @pytest.mark.parametrize("dates", ["dayfirst", "%H:%M", "%d.%m", "%Q", "%Y-%M-%d"])
    def test_an_invalid_date_format_is_a_manifest_mistake(self, reader, dates):
        with pytest.raises(StrategyError) as caught:
            reader.dataset(f"{{kind: files, path: bars, dates: '{dates}'}}")
        assert "day_first" in str(caught.value)

    @pytest.mark.parametrize(
        "cell",
        [
            *("2020.01.31 17:00", "2020/01/31 17:00:00", "2020/1/31 17:00", "2020-1-31 17:00"),
            *("20200131 170000", "20200131 1700", "20200131 17:00:00", "20200131T170000"),
            *("2020-01-31 05:00 PM", "2020.01.31 17:00:00.000", "2020-01-31 17:00:00 UTC"),
            *("2020-01-31T17:00:00.000Z", "2020-01-31 18:00:00+0100", "2020-01-31 17:00 GMT"),
            *("2020/01/31 18:00:00+01:00", "1580490000.0", "1580490000000"),
        ],
    )
    def test_text_that_begins_with_the_year_has_one_reading(self, reader, cell):
        assert reader.stamps([cell], interval="1h") == ["2020-01-31 17:00"]

    def test_a_list_of_years_and_days_keeps_one_form(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(["2020.01.31", "2020.02.30"])
        assert caught.value.found == "2020.02.30"
        assert caught.value.where.endswith("line 3")

    @pytest.mark.parametrize(
        ("cells", "dates"),
        [
            (["Jan 31, 2020", "Feb 01, 2020"], "%b %d, %Y"),
            (["31 Jan 2020", "01 Feb 2020"], "%d %b %Y"),
            (["31-Jan-20", "01-Feb-20"], "%d-%b-%y"),
            (["January 31, 2020", "February 1, 2020"], "%B %d, %Y"),
            (["2020-01-31 12-AM", "2020-02-01 12-AM"], "%Y-%m-%d %I-%p"),
            (["20200131000000", "20200201000000"], "%Y%m%d%H%M%S"),
        ],
    )
    def test_a_format_that_fits_every_cell_is_suggested(self, reader, cells, dates):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(cells)
        assert f"`dates: '{dates}'`" in caught.value.fix
        assert reader.stamps(cells, dates=dates) == ["2020-01-31", "2020-02-01"]


class TestOffsets:
    CELL = "11.10.2021 00:00:00.000 GMT+0800"
    FORMAT = "%d.%m.%Y %H:%M:%S.%f GMT%z"

    def dataset(self, reader, dates, **keys):
        more = "".join(f", {key}: {value}" for key, value in keys.items())
        return reader.dataset(f"{{kind: files, path: ., dates: '{dates}'{more}}}").sources[0]

    @pytest.mark.parametrize(
        ("cell", "dates"),
        [
            (CELL, FORMAT),
            (CELL, "day_first"),
            ("11.10.2021 00:00:00+08:00", "%d.%m.%Y %H:%M:%S%z"),
            ("Oct 11, 2021 00:00 +0800", "%b %d, %Y %H:%M %z"),
            ("10/10/2021 16:00 UTC", "%d/%m/%Y %H:%M UTC"),
            ("10/10/2021 16:00Z", "month_first"),
        ],
    )
    def test_an_offset_in_text_is_read(self, reader, cell, dates):
        assert self.dataset(reader, dates).dates == dates
        for timezone in (None, "America/New_York"):
            read = reader.stamps([cell], dates=dates, interval="1h", timezone=timezone)
            assert read == ["2021-10-10 16:00"]

    def test_offsets_may_change_with_the_season(self, reader):
        cells = ["01.07.2021 00:00:00.000 GMT+0200", "01.12.2021 00:00:00.000 GMT+0100"]
        read = reader.stamps(cells, dates=self.FORMAT, interval="1h")
        assert read == ["2021-06-30 22:00", "2021-11-30 23:00"]

    def test_both_orders_of_dates_with_an_offset_are_offered(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps([self.CELL], interval="1h")
        assert "`dates: day_first` or `dates: month_first`" in caught.value.fix

    @pytest.mark.parametrize(
        ("dates", "mend"),
        [
            ("%d.%m.%Y %H:%M:%S.%f GMT+0800", "%z in place of +0800"),
            ("%Y-%m-%d %H:%M:%S+08:00", "%z in place of +08:00"),
            ("%Y-%m-%d %H:%M:%S -0500", "%z in place of -0500"),
            ("%Y-%m-%d %H:%M EST", "`timezone` beside EST"),
            ("%Y-%m-%d %H:%M %Z", "%z for an offset"),
            ("%Y-%m-%d %I:%M", "%I together with %p"),
            ("%Y-%m-%d %H:%M %p", "%H without %p"),
        ],
    )
    def test_a_format_that_would_lose_hours_is_refused(self, reader, dates, mend):
        with pytest.raises(StrategyError) as caught:
            self.dataset(reader, dates)
        assert mend in str(caught.value)

    def test_the_name_of_a_zone_is_text_where_the_zone_is_declared(self, reader):
        dates = "%Y-%m-%d %H:%M EST"
        source = self.dataset(reader, dates, timezone="America/New_York")
        cell = "2020-01-31 09:30 EST"
        read = reader.stamps([cell], dates=dates, timezone=source.timezone, interval="1h")
        assert read == ["2020-01-31 14:30"]


class TestNumbersSince1970:
    @pytest.mark.parametrize(
        ("unit", "scale"),
        [("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)],
    )
    @pytest.mark.parametrize("day", ["1985-06-01", "2020-01-31", "2040-02-01"])
    def test_the_epoch_unit_is_inferred_with_a_notice(self, reader, unit, scale, day):
        cells = [int(pd.Timestamp(day).timestamp()) * scale]
        assert reader.stamps(cells) == [day]
        assert reader.notices == [f"files: timestamps are read as {unit} since 1970 (in X.csv)"]
        assert reader.stamps(cells, dates=unit) == [day]
        assert len(reader.notices) == 1  # what is declared is not said

    def test_numbers_near_1970_have_the_unit_of_the_newest(self, reader):
        days = ["1962-01-02", "1970-01-02", "1970-02-01", "2020-01-31"]
        for scale in (1, 1000):
            cells = [int(pd.Timestamp(day).timestamp()) * scale for day in days]
            assert reader.stamps(cells) == days

    def test_fractional_seconds_and_text_numbers_are_parsed(self, reader):
        assert reader.stamps(["1580428800.0", "1580428860.5"])[1] == "2020-01-31 00:01"
        assert reader.stamps(["1580428800"], decimal=",") == ["2020-01-31"]

    @pytest.mark.parametrize(
        ("number", "readings"),
        [
            (5_000_000_000, "2128-06-11 08:53 in seconds, 1970-02-27 20:53 in milliseconds"),
            (100_000_000, "1973-03-03 09:46 in seconds, 1970-01-02 03:46 in milliseconds"),
            (202001312300, "1976-05-26 23:28 in milliseconds"),
            (43_861, "1970-01-01 12:11 in seconds"),
        ],
    )
    def test_a_number_without_a_plausible_unit_is_refused(self, reader, number, readings):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps([number])
        assert readings in caught.value.found
        assert "`dates: seconds`" in caught.value.fix

    def test_the_day_numbers_of_a_spreadsheet_are_named(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps([43_861])
        assert "2020-01-31 in a spreadsheet" in caught.value.found
        assert "format the column as YYYY-MM-DD" in caught.value.fix

    def test_a_declared_unit_is_accepted_for_any_number(self, reader):
        assert reader.stamps([100_000_000], dates="seconds") == ["1973-03-03 09:46"]
        assert reader.stamps([202001312300], dates="%Y%m%d%H%M") == ["2020-01-31 23:00"]

    def test_two_epoch_units_in_a_file_are_refused(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps([1580428800, 1580515200, 1580601600000])
        assert caught.value.found == "1580601600000, which is milliseconds"
        assert caught.value.expected == "seconds since 1970, as in the first row"
        assert caught.value.where.endswith("line 4")

    def test_rounded_epoch_numbers_are_refused(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(["1.58E+12"] * 3 + ["1.59E+12"] * 3)
        assert caught.value.found == "1.58e+12, as in 3 rows"
        assert "map another column" in caught.value.fix

    @pytest.mark.parametrize("cells", [["1580428800", ""], ["31/01/2020"]])
    def test_text_is_refused_where_a_unit_is_declared(self, reader, cells):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(cells, dates="seconds")
        assert "since 1970" in caught.value.expected


class TestTimeZones:
    def test_naive_times_are_utc_unless_a_zone_is_declared(self, reader):
        cells = ["2020-01-31 09:30", "2020-07-31 09:30"]
        assert reader.stamps(cells, interval="1h") == cells
        assert reader.stamps(cells, **NEW_YORK) == ["2020-01-31 14:30", "2020-07-31 13:30"]

    @pytest.mark.parametrize("cell", ["2020-01-31T14:30Z", "2020-01-31 15:30+01:00", 1580481000])
    def test_timestamps_with_an_offset_ignore_the_time_zone(self, reader, cell):
        assert reader.stamps([cell], **NEW_YORK) == ["2020-01-31 14:30"]

    @pytest.mark.parametrize(
        "cell", ["2020-01-31", "20200131", "2020-01-31 16:00", "2020-01-31 00:00:00-05:00"]
    )
    def test_a_daily_bar_is_labelled_by_its_day_in_the_declared_zone(self, reader, cell):
        assert reader.stamps([cell], timezone="America/New_York") == ["2020-01-31"]

    def test_a_day_is_the_local_day_of_the_zone(self, reader):
        sydney = {"timezone": "Australia/Sydney"}
        assert reader.stamps(["2020-01-30T23:00Z"], **sydney) == ["2020-01-31"]
        assert reader.stamps([1580425200], **sydney) == ["2020-01-31"]

    def test_a_label_at_the_last_second_is_that_day(self, reader):
        assert reader.stamps(["2020-01-31 23:59:59"]) == ["2020-01-31 23:59"]
        assert reader.stamps(["2020-01-31 23:59:59"], timezone="UTC") == ["2020-01-31"]

    def test_both_passes_of_a_repeated_hour_are_distinguished(self, reader):
        walls = [f"2020-11-01 {time}" for time in ("00:30", "01:00", "01:30", "01:00", "01:30")]
        instants = [
            "2020-11-01 04:30",
            *(f"2020-11-01 0{h}:{m}" for h in "56" for m in ("00", "30")),
        ]
        assert reader.stamps(walls, **NEW_YORK) == instants
        assert reader.stamps(walls[::-1], **NEW_YORK) == instants[::-1]

    def test_a_single_pass_of_a_repeated_hour_is_refused(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(["2020-11-01 00:00", "2020-11-01 01:00", "2020-11-01 02:00"], **NEW_YORK)
        assert "2020-11-01 01:00:00, which is 05:00 or 06:00 UTC" in caught.value.found
        assert caught.value.where.endswith("line 3")

    def test_a_skipped_hour_is_refused(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.stamps(["2020-03-08 01:00", "2020-03-08 02:00", "2020-03-08 03:00"], **NEW_YORK)
        assert "a time that the clocks of America/New_York skipped" in caught.value.found
        assert "`timezone`" in caught.value.fix

    def test_parquet_timestamps_use_the_time_zone_too(self, reader):
        table = pd.DataFrame({"timestamp": pd.DatetimeIndex(["2020-01-31 09:30"])})
        table[["open", "high", "low", "close", "volume"]] = [10.0, 12.0, 9.0, 11.0, 5.0]
        table.to_parquet(reader.folder / "X.parquet")
        bars = reader.bars(pattern="{symbol}.parquet", **NEW_YORK)
        assert f"{bars['timestamp'].iloc[0]:%H:%M}" == "14:30"

    def test_an_unknown_time_zone_gets_a_suggestion(self, reader):
        with pytest.raises(StrategyError) as caught:
            reader.dataset("{kind: files, path: bars, timezone: America/NewYork}")
        assert "did you mean America/New_York?" in str(caught.value)
