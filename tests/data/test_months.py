"""Months as the interval of a dataset: their labels, ends, gaps, and how they are resampled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, StrategyError, UsageError
from engine.data.bar_grid import next_bar_labels
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars, normalise_bars
from engine.data.coverage import expected_timestamps
from engine.data.intervals import bar_end, bar_ends, divides, interval_numbers, interval_starts
from engine.data.manifests import read_manifest
from engine.data.resampling import resample_bars
from engine.data.resampling_state import resample_next_bars
from engine.data.store.vintages import VersionedBars
from engine.features.resolutions import check_coarser
from tests.data.datasets import load_files
from tests.data.quality.tables import check_table, rules, walk

NOW = pd.Timestamp("2024-06-01", tz="UTC")


def utc(text):
    return pd.Timestamp(text, tz="UTC")


def micro(*texts):
    return np.array(texts, dtype="datetime64[us]").astype(np.int64)


def months(count=48, first="2020-01-01", labels=None):
    """A walk of monthly bars; `labels` changes the timestamps."""
    bars = walk(count)
    stamps = pd.date_range(first, periods=count, freq="MS")
    return bars.assign(timestamp=stamps if labels is None else labels(stamps))


class TestIntervals:
    @pytest.mark.parametrize(
        ("open_", "end"),
        [
            ("2024-01-01", "2024-02-01"),
            ("2024-02-01", "2024-03-01"),
            ("2023-12-01", "2024-01-01"),
            # A label at the end of a month is of that month too.
            ("2024-01-31", "2024-02-01"),
            ("1969-12-31", "1970-01-01"),
        ],
    )
    def test_a_month_ends_with_its_last_day(self, open_, end):
        assert bar_end(utc(open_), "1mo") == utc(end)
        assert bar_ends(micro(open_), "1mo").tolist() == micro(end).tolist()

    @pytest.mark.parametrize("interval", ["1m", "1h", "1d", "1w", "1mo"])
    def test_an_instant_lies_between_the_start_of_its_interval_and_the_next(self, interval):
        instants = micro("1969-12-31T23:59:59", "1970-01-01", "2024-02-29T12:34:56")
        numbers = interval_numbers(instants, interval)
        starts = interval_starts(numbers, interval)
        ends = interval_starts(numbers + 1, interval)
        assert (starts <= instants).all()
        assert (instants < ends).all()
        assert bar_ends(starts, interval).tolist() == ends.tolist()

    @pytest.mark.parametrize(
        ("base", "interval", "expected"),
        [
            ("1d", "1mo", True),
            ("1h", "1mo", True),
            ("1w", "1mo", False),
            ("1mo", "1mo", False),
            ("1mo", "1w", False),
            ("1d", "1w", True),
            ("1d", "1d", False),
        ],
    )
    def test_months_consist_of_days_and_not_of_weeks(self, base, interval, expected):
        assert divides(base, interval) == expected
        if not expected:
            with pytest.raises(UsageError, match="not coarser"):
                check_coarser(interval, base)

    def test_a_month_is_unfinished_until_the_next_begins(self):
        bars = normalise_bars(months(count=3, first="2024-01-01"), "X")
        for now, kept in (("2024-03-31 23:59", 2), ("2024-04-01", 3)):
            assert len(drop_unfinished_bars(bars, TradingTimes("1mo"), utc(now))) == kept

    def test_a_stored_month_is_current_until_the_next_is_over(self):
        bars = normalise_bars(months(count=3, first="2024-01-01"), "X")
        stored = VersionedBars.from_first_fetch(bars, None, utc("2024-04-02"))
        assert stored.is_current(TradingTimes("1mo"), utc("2024-04-30 23:00"))
        assert not stored.is_current(TradingTimes("1mo"), utc("2024-05-01"))

    @pytest.mark.parametrize("calendar", ["24/7", "24/5", "XNYS"])
    def test_the_next_months_follow_on_every_calendar(self, calendar):
        found = next_bar_labels(utc("2023-11-01"), "1mo", calendar, 3)
        assert found.tolist() == [utc("2023-12-01"), utc("2024-01-01"), utc("2024-02-01")]
        stamps = expected_timestamps(calendar, "1mo", utc("2023-11-01"), utc("2024-02-01"))
        assert stamps.astype("datetime64[D]").astype(str).tolist() == [
            *("2023-11-01", "2023-12-01", "2024-01-01", "2024-02-01"),
        ]


class TestRules:
    @pytest.mark.parametrize("calendar", ["24/7", "24/5", "XNYS"])
    def test_months_labelled_by_their_first_days_are_clean(self, calendar):
        assert rules(months(), "1mo", calendar=calendar) == []

    def test_missing_months_are_counted(self):
        (found,) = check_table(months().drop(index=[10, 11, 30]), "1mo").findings
        assert (found.rule, found.count) == ("gaps", 3)
        assert (found.first, found.last) == ("2020-11-01", "2022-07-01")

    @pytest.mark.parametrize(
        "labels",
        [
            lambda stamps: stamps + pd.offsets.MonthEnd(0),
            lambda stamps: stamps + pd.offsets.BMonthEnd(0),
            lambda stamps: stamps + pd.offsets.BMonthBegin(0),
            lambda stamps: stamps + pd.offsets.MonthEnd(0) + pd.Timedelta("23:59:59"),
        ],
    )
    def test_labels_at_the_edges_of_months_are_moved_by_a_repair(self, labels):
        raw = months(labels=labels)
        (found,) = check_table(raw, "1mo").errors
        assert (found.rule, found.repair) == ("off_grid", "label_by_open")
        checked = check_table(raw, "1mo", policy={"off_grid": "repair"})
        assert checked.findings == ()
        assert checked.bars["timestamp"].tolist() == list(
            months()["timestamp"].dt.tz_localize("UTC")
        )

    @pytest.mark.parametrize(
        "labels",
        [
            # The first of the month in Shanghai: moved to its UTC month it would be known early.
            lambda stamps: stamps - pd.Timedelta(hours=8),
            lambda stamps: stamps + pd.Timedelta(days=14),
        ],
    )
    def test_labels_that_may_be_of_either_month_are_not_repaired(self, labels):
        (found,) = check_table(months(labels=labels), "1mo").errors
        assert (found.rule, found.repair) == ("off_grid", None)
        assert "timezone" in found.advice

    def test_two_labels_of_one_month_are_not_repaired(self):
        raw = months(labels=lambda stamps: stamps + pd.offsets.MonthEnd(0))
        raw.loc[20, "timestamp"] = raw["timestamp"][19] - pd.Timedelta(days=1)
        found = check_table(raw.sort_values("timestamp", ignore_index=True), "1mo").errors
        assert [(each.rule, each.repair) for each in found] == [("off_grid", None)]

    @pytest.mark.parametrize(
        ("freq", "advice"),
        [("W-MON", "1w"), ("D", "1d"), ("QS", "monthly bars"), ("YS", "monthly bars")],
    )
    def test_bars_of_another_interval_are_refused(self, freq, advice):
        raw = walk(40, first="2000-01-01", freq=freq)
        found = {each.rule: each for each in check_table(raw, "1mo").errors}
        assert advice in found["interval"].advice

    @pytest.mark.parametrize("interval", ["1d", "1w"])
    def test_months_that_are_declared_otherwise_are_recognised(self, interval):
        found = {each.rule: each for each in check_table(months(), interval).errors}
        assert found["interval"].advice.endswith("which seems to be 1mo")

    def test_a_month_that_is_not_over_is_in_the_future(self):
        raw = months(count=6, first="2024-01-01")
        assert rules(raw, "1mo") == ["future"]


def days(first, last, calendar="24/7"):
    from engine.data.calendar import trading_schedule

    stamps = pd.date_range(first, last, tz="UTC")
    if calendar != "24/7":
        own = trading_schedule(calendar, stamps[0], stamps[-1]).index
        stamps = pd.DatetimeIndex(own).tz_localize("UTC")
    return normalise_bars(walk(len(stamps)).assign(timestamp=stamps), "X")


class TestResampling:
    @pytest.mark.parametrize("calendar", ["24/7", "24/5", "XNYS"])
    def test_a_month_is_resampled_from_its_days(self, calendar):
        daily = days("2023-01-01", "2024-03-15", calendar)
        found = resample_bars(daily, "1d", "1mo", calendar).bars
        assert found["timestamp"].tolist() == list(
            pd.date_range("2023-01-01", "2024-02-01", freq="MS", tz="UTC")
        )
        own = daily[daily["timestamp"].dt.strftime("%Y-%m") == "2024-02"]
        february = found.iloc[-1]
        assert february["open"] == own["open"].iloc[0]
        assert february["close"] == own["close"].iloc[-1]
        assert february["high"] == own["high"].max()
        assert february["volume"] == own["volume"].sum()

    def test_a_month_is_complete_at_the_close_of_its_last_session(self):
        # 2024-03-29 was Good Friday, and 2024-03-28 the last session of the month.
        for last, months_ in (("2024-03-27", 2), ("2024-03-28", 3)):
            daily = days("2024-01-01", last, "XNYS")
            assert len(resample_bars(daily, "1d", "1mo", "XNYS").bars) == months_

    def test_a_first_month_that_begins_late_is_left_out(self):
        found = resample_bars(days("2023-01-03", "2023-04-02"), "1d", "1mo", "24/7").bars
        assert found["timestamp"].tolist() == [utc("2023-02-01"), utc("2023-03-01")]

    @pytest.mark.slow
    @pytest.mark.parametrize("size", [1, 7, 40])
    def test_days_that_arrive_one_after_another_complete_the_same_months(self, size):
        daily = days("2022-12-20", "2024-03-15")
        table = daily.set_index("timestamp")[["open", "high", "low", "close", "volume"]]
        state, parts, latest = None, [], []
        for begin in range(0, len(table), size):
            state, coarse, known = resample_next_bars(
                state, {"X": table.iloc[begin : begin + size]}, "1d", "1mo"
            )
            parts.append(coarse["X"])
            latest += known.tolist()
        found = pd.concat(parts)
        batch = resample_bars(daily, "1d", "1mo", "24/7").bars.set_index("timestamp")
        assert found.index.tolist() == batch.index.tolist()
        np.testing.assert_array_equal(found["close"], batch["close"])
        # February 2024 is the 14th month; it is known at the close of its last day.
        assert latest[list(table.index).index(utc("2024-02-28"))] == 12
        assert latest[list(table.index).index(utc("2024-02-29"))] == 13


MANIFEST = """name: funds
interval: 1mo
calendar: XNYS
symbols: [FUND]
sources:
  - {kind: files, path: .}
"""


@pytest.fixture
def dataset(tmp_path):
    """Writes bars and a manifest with some text changed, and loads or reads it."""

    def write(raw, *changes):
        raw.to_csv(tmp_path / "FUND.csv", index=False)
        text = MANIFEST
        for old, new in changes:
            text = text.replace(old, new)
        (tmp_path / "funds.yaml").write_text(text)
        return tmp_path / "funds.yaml"

    return write


class TestDatasets:
    @pytest.mark.parametrize("calendar", ["XNYS", "24/7", "24/5"])
    def test_a_year_has_twelve_months_on_every_calendar(self, dataset, calendar):
        market = load_files(dataset(months(), ("XNYS", calendar)), now=NOW)
        assert (market.interval, market.periods_per_year) == ("1mo", 12)
        assert market.provenance["symbols"]["FUND"]["last"] == "2023-12-01"
        assert market.provenance["notices"] == []

    def test_the_month_that_is_not_over_is_left_out(self, dataset):
        path = dataset(months(count=12, first="2023-07-01"))
        assert load_files(path, now=utc("2024-06-20")).bars["timestamp"].max() == utc("2024-05-01")

    def test_months_are_resampled_from_a_source_of_days(self, dataset):
        raw = days("2023-01-01", "2024-03-15", "XNYS").drop(columns="symbol")
        path = dataset(raw, ("path: .}", "path: ., interval: 1d}"))
        assert load_files(path, now=NOW).bars["timestamp"].tolist() == list(
            pd.date_range("2023-01-01", "2024-02-01", freq="MS", tz="UTC")
        )

    def test_months_are_not_resampled_from_weeks(self, dataset):
        path = dataset(months(), ("path: .}", "path: ., interval: 1w}"))
        with pytest.raises(StrategyError, match="mistake") as caught:
            read_manifest(str(path))
        assert "a week may lie in two of them" in str(caught.value)

    def test_months_labelled_by_their_ends_name_the_repair(self, dataset):
        raw = months(labels=lambda stamps: stamps + pd.offsets.MonthEnd(0))
        with pytest.raises(InvalidBarsError) as caught:
            load_files(dataset(raw), now=NOW)
        assert "quality: {off_grid: repair}" in caught.value.fix
        path = dataset(raw, ("symbols:", "quality: {off_grid: repair}\nsymbols:"))
        repaired = load_files(path, now=NOW)
        assert repaired.bars["timestamp"].iloc[0] == utc("2020-01-01")


def test_the_case_of_months_declared_as_weeks(market_data):
    file = market_data.parent / "cases" / "bars" / "month-advice" / "BTC.csv"
    if not file.is_file():
        pytest.skip("the case is not beside the real bars")
    raw = pd.read_csv(file).rename(columns={"Unnamed: 0": "timestamp"}).rename(columns=str.lower)
    raw["timestamp"] = pd.to_datetime(raw["timestamp"])
    found = {each.rule: each for each in check_table(raw, "1w").errors}
    assert found["interval"].advice.endswith("which seems to be 1mo")
    checked = check_table(raw, "1mo", policy={"off_grid": "repair"})
    assert [each.rule for each in checked.errors] in ([], ["future"])
