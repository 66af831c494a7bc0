"""Each rule at its threshold: bars that pass, and bars that break it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.quality import RULES, rule_name
from engine.data.quality_config import JOINT_RULES, RuleName
from tests.data.quality.tables import NOW, check_table, plain, rows, rules, scaled, table, walk


def test_every_rule_can_be_named_and_has_a_docstring():
    names = [*map(rule_name, RULES), *JOINT_RULES]
    assert names == list(RuleName.__args__)
    assert all(rule.__doc__ for rule in RULES)


class TestValues:
    def test_zero_volume_needs_a_constant_price(self):
        still = table([10.0] * 3, [10.0] * 3, [10.0] * 3, [10.0] * 3, [0.0] * 3)
        assert rules(still) == []
        assert rules(plain(3, volumes=[0.0, 0.0, 0.0])) == ["zero_volume"]
        assert rules(plain(3, volumes=[1.0, np.nan, 1.0])) == ["missing_values"]

    @pytest.mark.parametrize(("excess", "expected"), [(1e-7, []), (1e-5, ["price_range"])])
    def test_a_close_may_exceed_the_high_by_32_bit_rounding(self, excess, expected):
        raw = table([10.0] * 3, [11.0] * 3, [9.0] * 3, [11.0 * (1 + excess)] * 3)
        assert rules(raw) == expected

    @pytest.mark.parametrize(
        ("price", "expected"),
        [(1e-13, ["price_scale"]), (1e-9, []), (1e14, []), (1e16, ["price_scale"])],
    )
    def test_a_price_at_which_no_order_can_be_filled_is_found(self, price, expected):
        raw = scaled(walk(), slice(None), price / 100)
        assert rules(raw) == expected

    def test_one_tiny_price_is_enough_and_is_shown(self):
        raw = scaled(walk(), slice(350, None), 1e-13)
        assert rows(raw, "price_scale") == list(range(350, 400))

    def test_prices_of_both_kinds_have_no_repair(self):
        raw = scaled(scaled(walk(), slice(0, 9), 1e-14), slice(390, None), 1e15)
        both = [one for one in check_table(raw).errors if one.rule == "price_scale"]
        assert [one.repair for one in both] == [None, None]
        assert all("unit of money" in one.advice for one in both)

    def test_a_missing_open_breaks_no_other_rule(self):
        raw = plain(3)
        raw.loc[1, "open"] = 0.0
        assert rules(raw) == ["missing_open"]

    def test_a_negative_volume_is_found(self):
        assert rows(plain(3, volumes=[1.0, -1.0, 1.0]), "negative_volume") == [1]

    def test_a_bar_of_zeros_has_no_missing_open(self):
        raw = scaled(plain(3), [1], 0.0)
        assert rules(raw) == ["nonpositive_prices"]

    @pytest.mark.parametrize(("times", "expected"), [(150, []), (300, ["implausible_volume"])])
    def test_volume_is_compared_with_neighbouring_blocks(self, times, expected):
        raw = walk()
        raw["volume"] = np.where(raw.index < 200, 1e6, 1e9)
        assert rules(raw) == []
        raw.loc[50, "volume"] *= times
        assert rules(raw) == expected

    @pytest.mark.parametrize(("volume", "found"), [(1e24, False), (1e26, True), (1.7e308, True)])
    def test_a_volume_near_overflow_is_found_at_its_bar(self, volume, found):
        raw = walk()
        raw.loc[50, "volume"] = volume
        assert rows(raw, "volume_scale") == ([50] if found else [])
        if found:
            (error,) = check_table(raw).errors
            assert "`volume: none`" in error.advice

    def test_volumes_whose_sum_overflows_are_found(self):
        raw = walk(100).assign(volume=1e307)
        assert rows(raw, "volume_scale") == list(range(100))


class TestTime:
    @pytest.mark.parametrize("day", ["1899-12-30", "1850-01-01", "1066-10-14"])
    def test_a_bar_before_1900_is_found(self, day):
        raw = walk(30)
        stamps = raw["timestamp"].astype("datetime64[us]")
        stamps.loc[0] = np.datetime64(day, "us")
        raw = raw.assign(timestamp=stamps)
        (error,) = check_table(raw).errors
        assert (error.rule, error.first, error.count) == ("early", day, 1)

    def test_of_two_conflicting_bars_the_second_is_reported(self):
        raw = pd.concat([plain(10), scaled(plain(10), [4], 1.01).loc[[4]]])
        raw = raw.sort_values("timestamp", kind="stable", ignore_index=True)
        assert rows(raw, "conflicting_duplicates") == [5]

    @pytest.mark.parametrize(
        ("day", "rule"),
        [
            ("2016-03-27", "daylight_saving"),
            ("2018-10-28", "daylight_saving"),
            ("2020-03-08", "daylight_saving"),
            ("2020-11-01", "daylight_saving"),
            ("2020-03-15", "conflicting_duplicates"),
            ("2020-03-28", "conflicting_duplicates"),
        ],
    )
    def test_on_clock_change_days_duplicates_are_daylight_saving(self, day, rule):
        raw = walk(30, first=day)
        raw.loc[1, "timestamp"] = raw.loc[0, "timestamp"]
        assert [finding.rule for finding in check_table(raw).errors] == [rule]

    def test_bars_of_another_interval_get_advice(self):
        (finding,) = check_table(plain(30, freq="h")).errors
        assert finding.rule == "interval"
        assert "1h after the previous one" in finding.sentence
        assert "1h" in finding.advice

    def test_gaps_and_weekends_do_not_change_the_interval(self):
        raw = walk(30).iloc[[0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 20, 29]]
        assert rules(raw) == ["gaps"]

    def test_a_bar_that_ends_in_the_future_is_found(self):
        raw = walk(30, first=NOW.tz_localize(None) - pd.Timedelta(days=29))
        assert rows(raw, "future") == [29]

    def test_a_timestamp_off_the_grid_is_found(self):
        raw = walk(100, freq="h")
        raw.loc[40, "timestamp"] += pd.Timedelta(minutes=7)
        assert rows(raw, "off_grid", "1h") == [40]

    def test_a_day_may_begin_an_hour_later_in_summer(self):
        raw = walk(300)
        raw["timestamp"] = raw["timestamp"].dt.tz_localize("America/New_York")
        assert rules(raw) == []

    @pytest.mark.parametrize(
        ("interval", "freq", "late", "found"),
        [
            ("1d", "D", "23:59:59", True),
            ("1d", "D", "23:59:00", True),
            ("1d", "D", "21:00:00", False),
            ("1h", "h", "00:59:59", True),
            ("5m", "5min", "00:04:59", True),
            ("1m", "min", "00:00:00", False),
        ],
    )
    def test_bars_labelled_by_their_end_are_found(self, interval, freq, late, found):
        raw = walk(100, freq=freq)
        raw["timestamp"] += pd.Timedelta(late)
        assert ("off_grid" in rules(raw, interval)) == found


class TestGaps:
    def test_on_24_7_every_interval_is_expected(self):
        raw = walk(100, freq="h").drop(index=[20, 50, 51])
        (finding,) = check_table(raw, "1h").findings
        assert (finding.rule, finding.severity, finding.count) == ("gaps", "warn", 3)
        assert (finding.first, finding.last) == ("2020-01-01 20:00", "2020-01-03 03:00")

    def test_weekends_and_holidays_are_not_gaps(self):
        days = pd.bdate_range("2020-01-01", "2020-12-31", holidays=[], freq="C")
        closed = ["2020-01-01", "2020-01-20", "2020-02-17", "2020-04-10", "2020-05-25"]
        closed += ["2020-07-03", "2020-09-07", "2020-11-26", "2020-12-25"]
        days = days.difference(pd.DatetimeIndex(closed))
        raw = walk(len(days)).assign(timestamp=days)
        assert rules(raw, calendar="XNYS") == []
        (finding,) = check_table(raw.drop(index=[100]), calendar="XNYS").findings
        assert (finding.rule, finding.count) == ("gaps", 1)
        assert finding.first == f"{days[100]:%Y-%m-%d}"

    def test_a_bar_on_a_holiday_is_found(self):
        days = pd.DatetimeIndex(["2020-12-23", "2020-12-24", "2020-12-25", "2020-12-28"])
        raw = walk(4).assign(timestamp=days)
        assert rows(raw, "closed_days", calendar="XNYS") == [2]

    def test_gaps_are_checked_within_sessions_only(self):
        hours = pd.date_range("2020-06-01 13:30", periods=7, freq="h")
        stamps = [hour + pd.Timedelta(days=day) for day in range(5) for hour in hours]
        raw = walk(35).assign(timestamp=stamps)
        assert rules(raw, "1h", calendar="XNYS") == []
        (finding,) = check_table(raw.drop(index=[10]), "1h", calendar="XNYS").findings
        assert (finding.rule, finding.count, finding.first) == ("gaps", 1, "2020-06-02 16:30")

    def test_nothing_is_expected_before_the_calendar_begins(self):
        raw = walk(30, first="1990-01-01")
        assert rules(raw, calendar="XTKS") == []


class TestStale:
    @pytest.mark.parametrize(("days", "expected"), [(4, []), (5, ["stale"])])
    def test_five_days_with_the_same_prices_are_stale(self, days, expected):
        raw = walk(50)
        raw.iloc[20 : 20 + days, 1:] = raw.iloc[20, 1:].to_numpy()
        assert rules(raw) == expected
        assert rows(raw, "stale") == (list(range(20, 25)) if expected else [])

    def test_equal_prices_with_trades_are_not_stale(self):
        assert rules(plain(50, volumes=np.arange(1.0, 51.0))) == []


class TestLevels:
    def test_a_year_without_bars_and_another_price_is_ticker_reuse(self):
        raw = walk(200)
        later = raw.index >= 60
        raw.loc[later, "timestamp"] += pd.Timedelta(days=500)
        assert "ticker_reuse" not in rules(raw)
        assert rows(scaled(raw, later, 3.0), "ticker_reuse") == list(range(60))

    def test_of_two_price_units_the_minority_or_the_lower_is_wrong(self):
        raw = walk()
        assert rows(scaled(raw, slice(100, 110), 100.0), "unit_errors") == list(range(100, 111))
        assert rows(scaled(raw, slice(150, None), 0.01), "unit_errors") == list(range(150, 400))
        assert rows(scaled(raw, slice(150, None), 100.0), "unit_errors") == list(range(150))

    def test_a_spike_of_two_bars_is_a_bad_tick_and_of_three_is_not(self):
        raw = walk()
        assert rows(scaled(raw, [100, 101], 2.5), "bad_ticks") == [100, 101]
        assert rules(scaled(raw, [100, 101, 102], 2.5)) == []

    def test_a_long_wick_is_a_warning(self):
        raw = walk()
        raw.loc[100, "low"] /= 3.0
        (finding,) = check_table(raw).findings
        assert (finding.rule, finding.severity) == ("wicks", "warn")


class TestSplits:
    @pytest.mark.parametrize("ratio", [2.0, 3.0, 10.0, 0.1, 0.125, 1.5])
    def test_an_unadjusted_split_is_found_by_ratio_and_turnover(self, ratio):
        raw = scaled(walk(volatility=0.01), slice(0, 199), ratio)
        raw.loc[:199, "volume"] /= ratio
        assert rows(raw, "missed_splits") == list(range(200))
        assert f"split of {ratio:g} for 1" in check_table(raw).errors[0].sentence.replace(
            "1 for 10", "0.1 for 1"
        ).replace("1 for 8", "0.125 for 1")

    def test_two_missed_splits_are_two_spans(self):
        raw = scaled(walk(volatility=0.01), slice(0, 199), 2.0)
        raw = scaled(raw, slice(0, 99), 5.0)
        raw.loc[:199, "volume"] /= 2.0
        raw.loc[:99, "volume"] /= 5.0
        sentences = {finding.sentence for finding in check_table(raw).errors}
        assert sentences == {
            "100 of 400 bars are not adjusted for a split of 2 for 1",
            "100 of 400 bars are not adjusted for a split of 10 for 1",
        }

    def test_a_listed_and_adjusted_split_is_not_found(self):
        raw = walk().assign(split=0.0)
        raw.loc[200, "split"] = 4.0
        assert rules(raw) == []

    def test_an_unadjusted_middle_span_is_found_without_a_list(self):
        raw = scaled(walk(volatility=0.01), slice(100, 149), 4.0)
        raw.loc[100:149, "volume"] /= 4.0
        assert rows(raw, "missed_splits") == list(range(100, 150))

    def test_a_listed_split_is_found_at_any_turnover(self):
        raw = walk().assign(split=0.0)
        raw.loc[200, "split"] = 4.0
        raw["volume"] = 0.0
        assert rows(scaled(raw, slice(0, 199), 4.0), "missed_splits") == list(range(200))
        assert rows(scaled(raw, slice(150, 199), 4.0), "missed_splits") == list(range(150, 200))
        assert rows(scaled(raw, [196], 4.0), "missed_splits") == [196]


class TestDividends:
    def bars(self):
        raw = walk(60).assign(dividends=0.0)
        raw.loc[30, "dividends"] = 2.0
        return raw

    def adjusted(self, raw, amount):
        factor = np.where(raw.index < 30, 1.0 - amount / raw.loc[29, "close"], 1.0)
        return raw.assign(adj_close=raw["close"] * factor)

    def test_a_dividend_missing_from_adjusted_closes_is_found(self):
        raw = self.bars()
        assert rules(self.adjusted(raw, 2.0)) == []
        assert rows(self.adjusted(raw, 0.0), "missed_dividends") == [30]
        assert rows(self.adjusted(raw, 1.0), "missed_dividends") == [30]

    def test_a_dividend_above_the_price_is_wrong(self):
        raw = self.bars()
        raw.loc[30, "dividends"] = 200.0
        assert rows(raw, "missed_dividends") == [30]

    def test_dividends_are_not_checked_without_adjusted_closes(self):
        assert rules(self.bars()) == []
