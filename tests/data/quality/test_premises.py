"""A repair is offered, and an advice given, only where following it leads to right bars."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from engine.data.calendar import BarInterval
from tests.data.quality.hours import bars_at, finding, findings, session_stamps
from tests.data.quality.tables import check_table, plain, walk


def only(raw, rule, interval="1d", **terms):
    (found,) = [one for one in check_table(raw, interval, **terms).findings if one.rule == rule]
    return found


def joined(*tables):
    """Tables under each other, by timestamp: rows of several symbols in one file."""
    return pd.concat(tables).sort_values("timestamp", kind="stable", ignore_index=True)


class TestRowsOfOneTimestamp:
    def test_a_few_are_corrections(self):
        raw = joined(walk(100), walk(100, seed=2).iloc[[40]])
        assert only(raw, "conflicting_duplicates").repair == "keep_last_duplicate"

    @pytest.mark.parametrize("symbols", [2, 5])
    def test_rows_of_several_symbols_are_not(self, symbols):
        raw = joined(*(walk(100, seed=seed) for seed in range(symbols)))
        found = only(raw, "conflicting_duplicates")
        assert found.repair is None
        assert "`where: {COLUMN: SYMBOL}`" in found.advice

    def test_one_symbol_after_the_other_is_neither_sorted_nor_deduplicated(self):
        raw = pd.concat([walk(100), walk(100, seed=2)], ignore_index=True)
        assert {one.repair for one in check_table(raw).findings} == {None}

    def test_a_repair_that_is_declared_is_not_made_either(self):
        raw = joined(walk(100), walk(100, seed=2))
        policy = {"conflicting_duplicates": "repair", "order": "repair"}
        checked = check_table(raw, policy=policy)
        assert checked.repairs == ()
        assert "conflicting_duplicates" in {one.rule for one in checked.errors}

    def test_many_bars_of_one_day_have_their_time_in_another_column(self):
        raw = walk(700, freq="5min")
        raw["timestamp"] = raw["timestamp"].dt.floor("D")
        for interval in ("5m", "1d"):
            found = check_table(raw, interval).errors
            assert {one.repair for one in found} == {None}
            assert "`columns: {timestamp: [Date, Time]}`" in found[0].advice
            assert not any("set the dataset's interval" in one.advice for one in found)

    def test_a_single_timestamp_of_many_bars_is_no_correction(self):
        raw = joined(walk(300), *(walk(300, seed=seed).iloc[[40]] for seed in range(2, 6)))
        assert only(raw, "conflicting_duplicates").repair is None


class TestColumns:
    @pytest.mark.parametrize(
        ("rule", "share", "repair"),
        [
            ("price_range", 0.05, "widen_range"),
            ("price_range", 0.5, None),
            ("missing_open", 0.2, "open_from_previous_close"),
            ("missing_open", 0.8, None),
            ("nonpositive_prices", 0.2, "drop_nonpositive"),
            ("nonpositive_prices", 0.9, None),
            ("missing_values", 0.2, "drop_missing"),
            ("missing_values", 0.9, None),
        ],
    )
    def test_a_rule_that_most_bars_break_has_no_repair(self, rule, share, repair):
        raw = plain(100)
        bad = list(range(round(100 * share)))
        changed = {
            "price_range": ("high", 9.5),
            "missing_open": ("open", 0.0),
            "nonpositive_prices": ("close", 0.0),
            "missing_values": ("close", np.nan),
        }[rule]
        raw.loc[bad, changed[0]] = changed[1]
        found = only(raw, rule)
        assert found.repair == repair
        assert ("`columns` of the files source" in found.advice) == (repair is None)


class TestIntervals:
    @pytest.mark.parametrize(
        ("freq", "advice"),
        [
            ("h", "set the dataset's interval to 1h, or add `interval: 1h` to its source"),
            ("7D", "set the dataset's interval to that of its bars, which seems to be 1w"),
            ("10min", "which is no interval of a dataset"),
            ("3D", "which is no interval of a dataset"),
        ],
    )
    def test_only_intervals_that_exist_are_named(self, freq, advice):
        assert advice in only(walk(100, freq=freq), "interval").advice

    def test_months(self):
        raw = walk(100, freq="ME")
        advice = only(raw, "interval", "1w").advice
        assert "31d" not in advice
        assert ("1mo" in advice) == ("1mo" in get_args(BarInterval))


class TestBreaks:
    @pytest.mark.parametrize("calendar", ["XTKS", "XHKG", "XSHG"])
    @pytest.mark.parametrize("interval", ["5m", "15m", "30m", "1h", "4h"])
    @pytest.mark.parametrize("style", [{}, {"pause": False}, {"floor": True}])
    def test_bars_are_counted_anew_after_it_or_through_it(self, calendar, interval, style):
        stamps = session_stamps(calendar, "2024-10-01", "2024-11-29", interval, **style)
        assert findings(bars_at(stamps), interval, calendar) == ()

    def test_the_half_hour_after_the_old_close_of_tokyo_is_no_gap_before(self):
        stamps = session_stamps("XTKS", "2024-11-01", "2024-11-08", "30m")
        assert stamps[stamps < "2024-11-04"][-1] == pd.Timestamp("2024-11-01 05:30")
        assert stamps[-1] == pd.Timestamp("2024-11-08 06:00")
        assert findings(bars_at(stamps), "30m", "XTKS") == ()

    def test_a_bar_missing_beside_the_break_is_a_gap(self):
        stamps = session_stamps("XTKS", "2022-01-04", "2022-02-04")
        found = finding(bars_at(stamps.delete([2, 9])), "1h", "XTKS", "gaps")
        assert found.count == 2

    def test_a_bar_on_neither_count_is_off_the_grid(self):
        stamps = session_stamps("XTKS", "2022-01-04", "2022-02-04").to_numpy().copy()
        stamps[10] += np.timedelta64(7, "m")
        found = finding(bars_at(pd.DatetimeIndex(stamps)), "1h", "XTKS", "off_grid")
        assert found.count == 1


class TestEvenings:
    HOURS = session_stamps("CMES", "2023-01-03", "2023-06-20")

    def test_sunday_evenings_belong_to_monday(self):
        assert findings(bars_at(self.HOURS), "1h", "CMES") == ()

    @pytest.mark.parametrize("interval", ["15m", "1h"])
    def test_a_daily_halt_is_no_gap(self, interval):
        stamps = session_stamps("CMES", "2023-01-03", "2023-04-20", interval)
        local = stamps.tz_localize("UTC").tz_convert("America/Chicago")
        halted = (local.hour == 16) | ((local.hour == 15) & (local.minute == 15))
        assert findings(bars_at(stamps[~halted]), interval, "CMES") == ()

    def test_a_missing_hour_is_a_gap(self):
        found = finding(bars_at(self.HOURS.delete([100, 101])), "1h", "CMES", "gaps")
        assert found.count == 2

    def test_saturdays_belong_to_no_session(self):
        stamps = self.HOURS.append(pd.DatetimeIndex(["2023-02-04 12:00"])).sort_values()
        assert finding(bars_at(stamps), "1h", "CMES", "closed_days").count == 1
