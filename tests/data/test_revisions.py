"""Stored bars compared with fetched ones, and the description of the revision."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engine.core.types import PRICE_COLUMNS
from engine.data.store.diff import compare_bars
from engine.data.store.revisions import Revision
from tests.data.factories import daily_bars

COUNT = 20
PRICES = list(PRICE_COLUMNS)


@pytest.fixture
def stored():
    return daily_bars(COUNT)


@pytest.fixture
def fetched(stored):
    """The bars of a later fetch; a test changes them."""
    return stored.copy()


def describe(stored, fetched):
    return compare_bars(stored, fetched).revision.describe("1d")


def test_equal_bars_are_not_a_revision(stored, fetched):
    comparison = compare_bars(stored, fetched)
    assert (comparison.revision, comparison.superseded.size, comparison.updates.size) == (
        None,
        0,
        0,
    )


def test_bars_before_and_after_the_stored_ones_are_not_a_revision(stored, fetched):
    comparison = compare_bars(stored.iloc[3:-4].reset_index(drop=True), fetched)
    assert (comparison.revision, comparison.extended_by) == (None, 7)
    assert comparison.updates.tolist() == [0, 1, 2, 16, 17, 18, 19]


def test_one_changed_close_is_described_with_its_bar_and_size(stored, fetched):
    fetched.loc[4, "close"] = 97.0
    comparison = compare_bars(stored, fetched)
    assert comparison.superseded.tolist() == comparison.updates.tolist() == [4]
    assert comparison.revision.largest_change.column == "close"
    assert describe(stored, fetched) == (
        "1 bar changed, largest change: the close of 2024-01-05, from 104 to 97 (-6.73 %); "
        "all on 2024-01-05"
    )


def test_the_largest_of_several_changes_and_their_span_are_described(stored, fetched):
    fetched.loc[[2, 9], "high"] += [1.0, 40.0]
    fetched.loc[15, "volume"] = 500.0
    assert describe(stored, fetched) == (
        "3 bars changed, largest change: the high of 2024-01-10, from 110 to 150 (+36.4 %); "
        "all from 2024-01-03 to 2024-01-16"
    )


def test_a_change_of_volume_alone_is_described(stored, fetched):
    fetched.loc[15, "volume"] = 0.0
    assert "the volume of 2024-01-16, from 50 to 0 (-100 %)" in describe(stored, fetched)


def test_a_change_from_zero_has_no_percentage(stored, fetched):
    stored.loc[15, "volume"] = 0.0
    assert "from 0 to 50;" in describe(stored, fetched)


def test_removed_bars_and_new_ones_between_others_are_described(stored, fetched):
    old, new = stored.drop(index=7), fetched.drop(index=[11, 12])
    comparison = compare_bars(old.reset_index(drop=True), new.reset_index(drop=True))
    assert (comparison.revision.removed, comparison.revision.added, comparison.extended_by) == (
        2,
        1,
        0,
    )
    assert comparison.revision.describe("1d") == (
        "2 bars removed; 1 bar new between others; all from 2024-01-08 to 2024-01-13"
    )


def test_a_change_of_the_last_32_bit_place_is_not_a_revision(stored, fetched):
    fetched[PRICES] *= 1 + 1e-7
    assert compare_bars(stored, fetched).updates.size == 0


class TestRescaling:
    def test_one_factor_on_all_prices_before_a_day_is_a_rescaling(self, stored, fetched):
        fetched.loc[:8, PRICES] *= 0.9973
        revision = compare_bars(stored, fetched).revision
        assert revision.adjustment_factor == pytest.approx(0.9973)
        assert describe(stored, fetched) == "re-adjusted: all prices before 2024-01-10 x 0.9973"

    def test_one_factor_on_every_price_is_a_rescaling(self, stored, fetched):
        fetched[PRICES] *= 0.5
        assert describe(stored, fetched) == "re-adjusted: all prices x 0.5"

    def test_the_first_bar_that_is_not_rescaled_may_be_a_new_one(self, stored, fetched):
        fetched.loc[:18, PRICES] *= 0.9973
        assert (
            describe(stored.iloc[:19], fetched)
            == "re-adjusted: all prices before 2024-01-20 x 0.9973"
        )

    def test_rounding_to_six_digits_does_not_hide_a_rescaling(self, stored, fetched):
        fetched.loc[:8, PRICES] = (fetched.loc[:8, PRICES] * 0.9973).round(3)
        assert "re-adjusted: all prices before 2024-01-10 x 0.9973" in describe(stored, fetched)

    def test_volumes_that_change_with_a_rescaling_are_described(self, stored, fetched):
        fetched.loc[:8, PRICES] *= 0.5
        fetched.loc[:8, "volume"] *= 2
        assert describe(stored, fetched) == (
            "re-adjusted: all prices before 2024-01-10 x 0.5; the volume of 9 bars changed"
        )

    @pytest.mark.parametrize(
        "change",
        [
            lambda bars: bars.loc.__setitem__((4, "close"), 1.0),
            lambda bars: bars.loc.__setitem__((3, PRICES), [103.0, 104.0, 102.0, 103.0]),
            lambda bars: bars.loc.__setitem__((12, "high"), 900.0),
        ],
        ids=["another factor", "a bar left out", "a bar after it"],
    )
    def test_anything_else_is_an_ordinary_revision(self, stored, fetched, change):
        fetched.loc[:8, PRICES] *= 0.9973
        change(fetched)
        revision = compare_bars(stored, fetched).revision
        assert revision.adjustment_factor is None
        assert "bars changed, largest change" in describe(stored, fetched)


def test_duplicated_timestamps_are_compared_one_by_one(stored, fetched):
    doubled = pd.concat([stored.iloc[:5], stored.iloc[4:]], ignore_index=True)
    assert compare_bars(doubled, doubled.copy()).revision is None
    comparison = compare_bars(doubled, fetched)
    assert (comparison.revision.removed, comparison.superseded.tolist()) == (1, [5])


def test_a_value_that_became_nan_is_the_largest_change(stored, fetched):
    fetched.loc[3, "close"] = np.nan
    fetched.loc[9, "close"] = 1e9
    assert "the close of 2024-01-04, from 103 to nan" in describe(stored, fetched)


@pytest.mark.parametrize("close", [97.0, np.nan])
def test_a_revision_round_trips_through_json(stored, fetched, close):
    fetched.loc[4, "close"] = close
    revision = compare_bars(stored, fetched).revision
    restored = Revision.from_json(json.loads(json.dumps(revision.as_json(), allow_nan=False)))
    assert restored.describe("1d") == revision.describe("1d")
    assert restored.as_json() == revision.as_json()
