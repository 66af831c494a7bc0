"""Could a repaired bar have been known? Each repair says how many later bars decide it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.quality import REPAIRS
from engine.data.quality.late_repairs import describe_late_repairs
from tests.data.quality.tables import check_table, plain, scaled, walk

PRICES = ["open", "high", "low", "close"]
COUNT, AT = 110, 60


def changed(rows, column, value):
    raw = walk(COUNT, volatility=0.01)
    raw.loc[rows, column] = value
    return raw


def split(ratio=3.0):
    raw = scaled(walk(COUNT, volatility=0.01), slice(0, AT - 1), ratio)
    raw.loc[: AT - 1, "volume"] /= ratio
    return raw


def listed_split():
    """Adjusted from ten bars before the day of the split on."""
    raw = scaled(walk(COUNT, volatility=0.01), slice(0, AT - 1), 3.0).assign(split=0.0)
    raw.loc[AT + 10, "split"] = 3.0
    raw["volume"] = np.nan
    return raw


def other_asset():
    raw = scaled(walk(COUNT), slice(0, AT - 1), 3.0)
    raw.loc[AT:, "timestamp"] += pd.Timedelta(days=500)
    return raw


def doubled(factor):
    raw = walk(COUNT)
    return pd.concat([raw.loc[: AT - 1], scaled(raw.loc[[AT]], [AT], factor), raw.loc[AT:]])


PLANTS = {
    "sort": [("order", lambda: walk(COUNT).iloc[::-1])],
    "drop_duplicates": [("duplicates", lambda: doubled(1.0))],
    "keep_last_duplicate": [("conflicting_duplicates", lambda: doubled(1.01))],
    "open_from_previous_close": [("missing_open", lambda: changed([0, AT], "open", 0.0))],
    "drop_missing": [("missing_values", lambda: changed([AT], "close", np.nan))],
    "drop_nonpositive": [("nonpositive_prices", lambda: changed([AT], "low", 0.0))],
    "widen_range": [("price_range", lambda: changed([AT], "high", 1.0))],
    "change_unit": [
        ("price_scale", lambda: scaled(walk(COUNT), slice(AT, None), 1e-13)),
        ("price_scale", lambda: scaled(walk(COUNT), slice(None), 1e14)),
    ],
    "label_by_open": [
        ("off_grid", lambda: walk(COUNT).assign(timestamp=lambda raw: raw["timestamp"] + _LATE))
    ],
    "apply_split": [("missed_splits", split), ("missed_splits", listed_split)],
    "multiply_by_100": [("unit_errors", lambda: scaled(walk(COUNT), slice(AT, None), 0.01))],
    "divide_by_100": [("unit_errors", lambda: scaled(walk(COUNT), [AT], 100.0))],
    "drop_bad_tick": [("bad_ticks", lambda: scaled(walk(COUNT), [AT, AT + 1], 3.0))],
    "drop_before_gap": [("ticker_reuse", other_asset)],
}
_LATE = pd.Timedelta("23:59:59")


def repaired(raw, rule):
    return check_table(raw.reset_index(drop=True), policy={rule: "repair"})


def up_to(bars, cutoff):
    """Timestamps, prices and volumes of the bars up to a time, in the units of the first bar."""
    known = bars[bars["timestamp"] <= cutoff]
    prices, volume = known[PRICES].to_numpy(), known["volume"].to_numpy()
    return known["timestamp"].tolist(), prices / prices[:1, 3:], volume / volume[:1]


def other_futures(raw, last, seed):
    """The bars up to a time, alone, and with other prices after it."""
    raw = raw.reset_index(drop=True)
    later = raw.index[raw["timestamp"] > last]
    yield raw.drop(index=later)
    # Levels that are no split, and with a list of splits one that is nearly that of the list.
    for factor in (2.2, 1.0 / 2.2, *((1.0 / 2.6,) if "split" in raw else ())):
        noise = np.random.default_rng(seed).normal(0.0, 0.01, len(later))
        other = raw.copy()
        other.loc[later, PRICES] = raw.loc[later, PRICES].mul(
            factor * np.exp(np.cumsum(noise)), axis=0
        )
        if "split" in raw:
            other.loc[later, "split"] = 0.0
        yield other


def is_equal(one, other):
    return one[0] == other[0] and all(
        np.allclose(mine, theirs, rtol=1e-9, equal_nan=True)
        for mine, theirs in zip(one[1:], other[1:], strict=True)
    )


def depends_on_later(raw, rule, later_bars):
    """Whether other bars, more than some after a bar, change that bar or one before it."""
    full = repaired(raw, rule)
    stamps = raw["timestamp"].sort_values().drop_duplicates().to_numpy()
    for row in (AT - 30, AT, AT + 1):
        cutoff, last = (pd.Timestamp(stamps[at]) for at in (row, row + later_bars))
        at = cutoff.tz_localize("UTC")
        for other in other_futures(raw, last, seed=row):
            if not is_equal(up_to(full.bars, at), up_to(repaired(other, rule).bars, at)):
                return True
    return False


CASES = [(name, *case) for name, cases in PLANTS.items() for case in cases]


def test_every_repair_is_probed():
    assert set(PLANTS) == set(REPAIRS)


@pytest.mark.parametrize(("name", "rule", "make"), CASES)
def test_no_bars_later_than_declared_change_a_repaired_bar(name, rule, make):
    raw, declared = make(), REPAIRS[name].later_bars
    assert name in {one.repair for one in repaired(raw, rule).repairs}
    if declared is None:
        assert depends_on_later(raw, rule, 20)
    else:
        assert not depends_on_later(raw, rule, declared)


@pytest.mark.parametrize(
    ("name", "rule", "make"),
    [case for case in CASES if REPAIRS[case[0]].later_bars and case[2] is not split],
)
def test_a_bar_less_than_declared_is_too_few(name, rule, make):
    assert depends_on_later(make(), rule, REPAIRS[name].later_bars - 1)


class TestNotices:
    def test_bars_repaired_by_later_ones_are_named_from_the_first_out_of_sample_bar_on(self):
        raw = scaled(scaled(walk(COUNT), [40, 41], 3.0), [100], 4.0)
        repairs = [one.as_json() for one in repaired(raw, "bad_ticks").repairs]
        stamps = [f"{raw['timestamp'][row]:%Y-%m-%d}" for row in (40, 41, 100)]
        for first, expected in ((0, stamps), (41, stamps[1:]), (70, stamps[2:]), (101, [])):
            start = raw["timestamp"][first].tz_localize("UTC")
            sentences = describe_late_repairs(repairs, start)
            assert len(sentences) == bool(expected)
            for sentence in sentences:
                assert sentence.startswith(f"drop_bad_tick of X looks ahead: {len(expected)} ")
                assert sentence.endswith(", ".join(expected))

    def test_a_split_is_named_at_the_bar_whose_return_it_changes(self):
        repairs = [one.as_json() for one in repaired(split(), "missed_splits").repairs]
        for first, count in ((AT, 1), (AT + 1, 0)):
            start = walk(COUNT)["timestamp"][first].tz_localize("UTC")
            assert len(describe_late_repairs(repairs, start)) == count

    def test_repairs_that_need_no_later_bar_are_not_named(self):
        raw = plain(100)
        raw.loc[50, "open"] = 0.0
        (one,) = repaired(raw, "missing_open").repairs
        assert "later_bars" not in one.as_json()
        assert describe_late_repairs([one.as_json()], pd.Timestamp("2020-01-01", tz="UTC")) == []
