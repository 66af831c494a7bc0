"""Each named repair has its effect, and reports the bars that it changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.quality import REPAIRS
from engine.data.quality_config import UNREPAIRABLE_RULES, RuleName
from tests.data.quality.tables import check_table, plain, rules, scaled, walk

PRICES = ["open", "high", "low", "close"]


def repaired(raw, rule, **terms):
    examined = check_table(raw, policy={rule: "repair"}, **terms)
    assert rule not in {finding.rule for finding in examined.findings}
    return examined


def prices(bars):
    return bars[PRICES].to_numpy()


class TestTime:
    def test_bars_are_sorted(self):
        raw = walk()
        examined = repaired(raw.iloc[::-1].reset_index(drop=True), "order")
        assert examined.findings == ()
        np.testing.assert_array_equal(prices(examined.bars), prices(raw))
        (done,) = examined.repairs
        assert (done.repair, done.count, done.first) == ("sort", 399, "2020-01-01")

    def test_duplicates_are_dropped(self):
        raw = walk(100)
        examined = repaired(raw.loc[[*range(40), 39, *range(40, 100)]], "duplicates")
        np.testing.assert_array_equal(prices(examined.bars), prices(raw))

    def test_of_conflicting_bars_the_last_one_is_kept(self):
        raw = walk(100)
        older = scaled(raw.loc[[40]], [40], 1.01)
        both = pd.concat([raw.loc[:39], older, raw.loc[40:]], ignore_index=True)
        examined = repaired(both, "conflicting_duplicates")
        np.testing.assert_array_equal(prices(examined.bars), prices(raw))

    def test_labels_move_from_the_last_second_to_the_open(self):
        raw = walk(100)
        late = raw.assign(timestamp=raw["timestamp"] + pd.Timedelta("23:59:59"))
        examined = repaired(late, "off_grid")
        assert (examined.bars["timestamp"] == raw["timestamp"].dt.tz_localize("UTC")).all()
        assert examined.repairs[0].bars[0] == {
            "timestamp": "2020-01-01 23:59",
            "before": {"timestamp": "2020-01-01 23:59"},
            "after": {"timestamp": "2020-01-01"},
        }


class TestValues:
    def test_a_missing_open_becomes_the_clipped_previous_close(self):
        raw = plain(5)
        raw.loc[[0, 2, 3], "open"] = [0.0, np.nan, 0.0]
        raw.loc[2, "close"] = 9.5
        raw.loc[3, "low"] = 10.0
        examined = repaired(raw, "missing_open")
        assert examined.errors == ()
        assert examined.bars["open"].tolist() == [10.0, 11.0, 10.0, 10.0]
        (done,) = examined.repairs
        assert done.count == 3
        assert [change["timestamp"] for change in done.bars] == [
            "2020-01-01",
            "2020-01-03",
            "2020-01-04",
        ]
        assert done.bars[0]["after"] is None
        assert done.bars[1]["before"] == {"open": None}
        assert done.bars[1]["after"] == {"open": 11.0}

    @pytest.mark.parametrize(
        ("rule", "column", "value"),
        [("missing_values", "close", np.nan), ("nonpositive_prices", "low", 0.0)],
    )
    def test_bars_without_usable_prices_are_dropped(self, rule, column, value):
        raw = walk(100)
        raw.loc[40, column] = value
        examined = repaired(raw, rule)
        assert len(examined.bars) == 99
        assert [finding.rule for finding in examined.findings] == ["gaps"]
        assert examined.repairs[0].bars[0]["after"] is None

    def test_high_and_low_are_widened_to_the_other_prices(self):
        raw = plain(5)
        raw.loc[2, ["high", "low"]] = [10.5, 10.2]
        examined = repaired(raw, "price_range")
        assert examined.bars.loc[2, ["high", "low"]].tolist() == [11.0, 10.0]


class TestLevels:
    def test_a_bad_tick_is_dropped(self):
        examined = repaired(scaled(walk(), [100], 3.0), "bad_ticks")
        assert len(examined.bars) == 399

    @pytest.mark.parametrize(("rows", "factor"), [(slice(150, None), 0.01), ([100], 100.0)])
    def test_prices_are_rescaled_to_one_unit(self, rows, factor):
        raw = walk()
        examined = repaired(scaled(raw, rows, factor), "unit_errors")
        np.testing.assert_allclose(prices(examined.bars), prices(raw))

    @pytest.mark.parametrize("factor", [1e-15, 1e14], ids=["tiny", "huge"])
    def test_the_unit_of_all_prices_is_changed_and_that_of_volumes_with_it(self, factor):
        raw = scaled(walk().assign(adj_close=99.0, dividends=0.0), slice(None), factor)
        examined = repaired(raw, "price_scale")
        unit = 1e12 if factor < 1.0 else 1e-12
        np.testing.assert_allclose(prices(examined.bars), prices(raw) * unit, rtol=1e-15)
        np.testing.assert_allclose(examined.bars["volume"], raw["volume"] / unit)

    def test_a_split_is_applied_to_prices_and_to_volume(self):
        raw = walk(volatility=0.01)
        damaged = scaled(scaled(raw, slice(0, 199), 2.0), slice(0, 99), 5.0)
        damaged["volume"] = raw["volume"] / (damaged["close"] / raw["close"])
        examined = repaired(damaged, "missed_splits")
        np.testing.assert_allclose(prices(examined.bars), prices(raw))
        np.testing.assert_allclose(examined.bars["volume"], raw["volume"])
        assert [done.count for done in examined.repairs] == [100, 100]

    def test_bars_of_the_earlier_asset_are_dropped(self):
        raw = scaled(walk(200), slice(0, 59), 0.1)
        raw.loc[60:, "timestamp"] += pd.Timedelta(days=500)
        assert len(repaired(raw, "ticker_reuse").bars) == 140


def test_several_rules_are_repaired_in_order():
    raw = walk()
    raw.loc[50, "open"] = 0.0
    damaged = pd.concat([raw.iloc[::-1], raw.loc[[7]]], ignore_index=True)
    policy = {"order": "repair", "duplicates": "repair", "missing_open": "repair"}
    examined = check_table(damaged, policy=policy)
    assert examined.findings == ()
    assert [done.rule for done in examined.repairs] == ["order", "duplicates", "missing_open"]
    raw.loc[50, "open"] = np.clip(raw.loc[49, "close"], *raw.loc[50, ["low", "high"]])
    np.testing.assert_array_equal(prices(examined.bars), prices(raw))


def test_only_requested_repairs_are_applied():
    raw = scaled(walk(), [100], 3.0)
    examined = check_table(raw, policy={"order": "repair", "gaps": "error"})
    assert examined.repairs == ()
    assert [finding.rule for finding in examined.errors] == ["bad_ticks"]
    np.testing.assert_array_equal(prices(examined.bars), prices(raw))


def test_the_log_has_the_first_twenty_bars():
    raw = plain(100)
    raw.loc[10:49, "open"] = 0.0
    (done,) = repaired(raw, "missing_open").repairs
    assert (done.count, len(done.bars), done.last) == (40, 20, "2020-02-19")


def test_every_rule_has_a_repair_or_is_listed_without_one():
    offered = {
        "order": ["sort"],
        "duplicates": ["drop_duplicates"],
        "conflicting_duplicates": ["keep_last_duplicate"],
        "missing_open": ["open_from_previous_close"],
        "missing_values": ["drop_missing"],
        "nonpositive_prices": ["drop_nonpositive"],
        "price_range": ["widen_range"],
        "price_scale": ["change_unit"],
        "off_grid": ["label_by_open"],
        "missed_splits": ["apply_split"],
        "unit_errors": ["multiply_by_100", "divide_by_100"],
        "bad_ticks": ["drop_bad_tick"],
        "ticker_reuse": ["drop_before_gap"],
    }
    assert {*offered, *UNREPAIRABLE_RULES} == set(RuleName.__args__)
    assert sorted(name for names in offered.values() for name in names) == sorted(REPAIRS)


def test_a_dataset_can_change_the_severity_of_a_rule():
    raw = walk().drop(index=[40])
    assert check_table(raw, policy={"gaps": "error"}).errors != ()
    raw = scaled(walk(), [100], 3.0)
    assert check_table(raw, policy={"bad_ticks": "warn"}).errors == ()
    assert rules(raw, policy={"bad_ticks": "warn"}) == ["bad_ticks"]
