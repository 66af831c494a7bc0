"""What is said of bars that a source gives otherwise than before."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engine.core.types import PRICE_COLUMNS
from engine.data.bars import normalise_bars
from engine.data.store.diff import compare_bars
from engine.data.store.revisions import Revision

COUNT = 20
PRICES = list(PRICE_COLUMNS)


@pytest.fixture
def held():
    raw = pd.DataFrame({"timestamp": pd.date_range("2024-05-01", periods=COUNT)})
    raw["open"] = raw["close"] = 100.0 + np.arange(COUNT)
    raw["high"], raw["low"], raw["volume"] = raw["open"] + 1, raw["open"] - 1, 50.0
    return normalise_bars(raw, "X")


@pytest.fixture
def fresh(held):
    """What the source says now; a test changes it."""
    return held.copy()


def told(held, fresh):
    return compare_bars(held, fresh).revision.describe("1d")


def test_the_same_bars_are_no_revision(held, fresh):
    found = compare_bars(held, fresh)
    assert (found.revision, found.superseded.size, found.updates.size) == (None, 0, 0)


def test_bars_before_and_after_those_held_are_no_revision(held, fresh):
    found = compare_bars(held.iloc[3:-4].reset_index(drop=True), fresh)
    assert (found.revision, found.extended_by) == (None, 7)
    assert found.updates.tolist() == [0, 1, 2, 16, 17, 18, 19]


def test_one_changed_close_is_told_with_its_bar_and_size(held, fresh):
    fresh.loc[4, "close"] = 97.0
    found = compare_bars(held, fresh)
    assert found.superseded.tolist() == found.updates.tolist() == [4]
    assert found.revision.largest_change.column == "close"
    assert told(held, fresh) == (
        "1 bar changed, largest change: the close of 2024-05-05, from 104 to 97 (-6.73 %); "
        "all on 2024-05-05"
    )


def test_the_largest_of_several_changes_and_their_span_are_told(held, fresh):
    fresh.loc[[2, 9], "high"] += [1.0, 40.0]
    fresh.loc[15, "volume"] = 500.0
    assert told(held, fresh) == (
        "3 bars changed, largest change: the high of 2024-05-10, from 110 to 150 (+36.4 %); "
        "all from 2024-05-03 to 2024-05-16"
    )


def test_a_change_of_volume_alone_is_told(held, fresh):
    fresh.loc[15, "volume"] = 0.0
    assert "the volume of 2024-05-16, from 50 to 0 (-100 %)" in told(held, fresh)


def test_a_change_from_nothing_has_no_percentage(held, fresh):
    held.loc[15, "volume"] = 0.0
    assert "from 0 to 50;" in told(held, fresh)


def test_a_bar_that_is_gone_and_one_that_is_new_between_others_are_told(held, fresh):
    before, now = held.drop(index=7), fresh.drop(index=[11, 12])
    found = compare_bars(before.reset_index(drop=True), now.reset_index(drop=True))
    assert (found.revision.removed, found.revision.added, found.extended_by) == (2, 1, 0)
    assert found.revision.describe("1d") == (
        "2 bars removed; 1 bar new between others; all from 2024-05-08 to 2024-05-13"
    )


def test_the_last_place_of_a_32_bit_number_is_no_revision(held, fresh):
    fresh[PRICES] *= 1 + 1e-7
    assert compare_bars(held, fresh).updates.size == 0


class TestAdjustedAnew:
    def test_one_factor_on_all_prices_before_a_day_is_said_to_be_one(self, held, fresh):
        fresh.loc[:8, PRICES] *= 0.9973
        found = compare_bars(held, fresh).revision
        assert found.adjustment_factor == pytest.approx(0.9973)
        assert told(held, fresh) == "re-adjusted: all prices before 2024-05-10 x 0.9973"

    def test_where_no_bar_remains_every_price_is_meant(self, held, fresh):
        fresh[PRICES] *= 0.5
        assert told(held, fresh) == "re-adjusted: all prices x 0.5"

    def test_the_bar_after_those_held_may_be_the_first_that_is_not_adjusted(self, held, fresh):
        fresh.loc[:18, PRICES] *= 0.9973
        assert told(held.iloc[:19], fresh) == "re-adjusted: all prices before 2024-05-20 x 0.9973"

    def test_six_digits_of_a_vendor_do_not_hide_it(self, held, fresh):
        fresh.loc[:8, PRICES] = (fresh.loc[:8, PRICES] * 0.9973).round(3)
        assert "re-adjusted: all prices before 2024-05-10 x 0.9973" in told(held, fresh)

    def test_volumes_that_change_with_it_are_told(self, held, fresh):
        fresh.loc[:8, PRICES] *= 0.5
        fresh.loc[:8, "volume"] *= 2
        assert told(held, fresh) == (
            "re-adjusted: all prices before 2024-05-10 x 0.5; the volume of 9 bars changed"
        )

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda now: now.loc.__setitem__((4, "close"), 1.0),
            lambda now: now.loc.__setitem__((3, PRICES), [103.0, 104.0, 102.0, 103.0]),
            lambda now: now.loc.__setitem__((12, "high"), 900.0),
        ],
        ids=["another factor", "a bar left out", "a bar after it"],
    )
    def test_anything_else_is_an_ordinary_revision(self, held, fresh, spoil):
        fresh.loc[:8, PRICES] *= 0.9973
        spoil(fresh)
        found = compare_bars(held, fresh).revision
        assert found.adjustment_factor is None
        assert "bars changed, largest change" in told(held, fresh)


def test_repeated_timestamps_are_compared_one_by_one(held, fresh):
    doubled = pd.concat([held.iloc[:5], held.iloc[4:]], ignore_index=True)
    assert compare_bars(doubled, doubled.copy()).revision is None
    found = compare_bars(doubled, fresh)
    assert (found.revision.removed, found.superseded.tolist()) == (1, [5])


def test_a_value_that_went_is_the_largest_change(held, fresh):
    fresh.loc[3, "close"] = np.nan
    fresh.loc[9, "close"] = 1e9
    assert "the close of 2024-05-04, from 103 to nan" in told(held, fresh)


@pytest.mark.parametrize("close", [97.0, np.nan])
def test_a_revision_survives_as_json(held, fresh, close):
    fresh.loc[4, "close"] = close
    found = compare_bars(held, fresh).revision
    again = Revision.from_json(json.loads(json.dumps(found.as_json(), allow_nan=False)))
    assert again.describe("1d") == found.describe("1d")
    assert again.as_json() == found.as_json()
