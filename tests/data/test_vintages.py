"""What a dataset's bars were at every pull, and what is stored to know it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.bars import hash_bars, normalise_bars
from engine.data.store import vintages
from engine.data.store.vintages import VersionedBars, combine_vintage_ids, list_dataset_vintages

START = pd.Timestamp("2024-01-01", tz="UTC")
DAY = pd.Timedelta(days=1)
SINCE = START


def bars(count, *, first=0, **changes):
    raw = pd.DataFrame({"timestamp": START + DAY * np.arange(first, count)})
    raw["open"] = raw["close"] = 100.0 + np.arange(first, count)
    raw["high"], raw["low"], raw["volume"] = raw["open"] + 1, raw["open"] - 1, 50.0
    made = normalise_bars(raw, "X")
    for column, (row, value) in changes.items():
        made.loc[row, column] = value
    return made


def at(day):
    return START + DAY * day


def held(*pulls):
    """Pulls of (day, bars), the first of them the first vintage."""
    (day, first), *others = pulls
    made = VersionedBars.from_first_fetch(first, SINCE, at(day))
    for when, fresh in others:
        made = made.merge(fresh, SINCE, at(when))
    return made


def closes(frame):
    return frame["close"].tolist()


def test_bars_that_came_since_extend_and_store_nothing_else():
    made = held((10, bars(10)), (11, bars(11)), (12, bars(12, first=9)))
    assert len(made.bars) == 12
    assert made.superseded.bars.empty
    assert [each.extended_by for each in made.vintages] == [10, 1, 1]
    assert [each.revision for each in made.vintages] == [None] * 3


def test_a_pull_that_brings_nothing_is_no_vintage():
    made = held((10, bars(10)), (10.5, bars(10)))
    assert len(made.vintages) == 1
    assert made.fetched_at == at(10.5)


def test_only_the_bars_that_a_revision_changed_are_stored_twice():
    made = held((10, bars(10)), (11, bars(11, close=(4, 3.0))))
    assert closes(made.superseded.bars) == [104.0]
    assert made.bars["close"][4] == 3.0


def test_the_bars_as_of_each_pull_are_what_the_source_said_then():
    said = [
        (10, bars(10)),
        (11, bars(11)),
        (12, bars(12, close=(4, 3.0))),
        (13, bars(13, close=(4, 104.0), low=(9, 1.0))),
        (14, bars(14).drop(index=[2, 3])),
        (15, bars(15)),
    ]
    made = held(*said)
    for (day, expected), vintage in zip(said, made.vintages, strict=True):
        for later in (0.0, 0.9):
            found = made.as_of(at(day + later))
            pd.testing.assert_frame_equal(found, expected.reset_index(drop=True))
        assert vintage.fetched_at == at(day)
        assert hash_bars(found).startswith(vintage.id)
        assert made.vintage_at(at(day + 0.5)) == vintage
    assert made.as_of(at(9.9)) is None
    assert made.vintage_at(at(9.9)) is None


def test_a_source_that_shows_less_of_the_past_takes_none_away():
    made = held((10, bars(10)), (11, bars(11, first=5)))
    assert len(made.bars) == 11
    assert made.latest_vintage.revision is None


def test_unless_its_prices_were_adjusted_and_the_others_are_not():
    first = VersionedBars.from_first_fetch(bars(10), SINCE, at(10))
    fresh = bars(11, first=5)
    fresh[["open", "high", "low", "close"]] *= 0.5
    made = first.merge(fresh, SINCE, at(11), adjusted=True)
    assert len(made.bars) == 6
    assert (
        made.latest_vintage.revision.adjustment_factor,
        made.latest_vintage.revision.removed,
    ) == (0.5, 5)
    assert len(made.as_of(at(10))) == 10


def test_an_earlier_start_extends_backwards():
    made = VersionedBars.from_first_fetch(bars(10, first=5), at(5), at(10)).merge(
        bars(10), None, at(10.5)
    )
    assert made.requested_since is None
    assert (made.latest_vintage.extended_by, made.latest_vintage.revision) == (5, None)
    assert closes(made.as_of(at(10))) == [105.0, 106.0, 107.0, 108.0, 109.0]


def test_a_clock_that_goes_back_and_two_pulls_at_once_keep_their_order():
    made = held((10, bars(10)), (9, bars(11)), (10, bars(12, close=(3, 9.0))))
    assert [len(made.as_of(each.fetched_at)) for each in made.vintages] == [10, 11, 12]
    assert closes(made.as_of(made.vintages[1].fetched_at))[3] == 103.0


def test_bars_out_of_order_are_stored_in_order():
    made = held((10, bars(10).iloc[::-1]), (11, bars(11).sample(frac=1, random_state=1)))
    pd.testing.assert_frame_equal(made.bars, bars(11))


def test_an_answer_without_bars_changes_nothing():
    assert len(held((10, bars(10)), (11, bars(0))).bars) == 10


def test_the_list_of_extensions_is_bounded_and_keeps_every_revision(monkeypatch):
    monkeypatch.setattr(vintages, "MAX_LISTED_VINTAGES", 6)
    said = [(10, bars(10)), (11, bars(11, close=(4, 3.0)))]
    said += [(day, bars(day, close=(4, 3.0))) for day in range(12, 40)]
    made = held(*said)
    assert len(made.vintages) == 6
    assert made.vintages[0].fetched_at == at(10)
    assert made.vintages[1].revision is not None
    assert made.latest_vintage.fetched_at == at(39)
    pd.testing.assert_frame_equal(made.as_of(at(20)), bars(20, close=(4, 3.0)))


class TestMoments:
    def test_a_dataset_has_a_vintage_whenever_one_of_its_symbols_has(self):
        one = held((10, bars(10)), (11, bars(11)))
        other = held((10, bars(9)), (12, bars(12, close=(1, 7.0))))
        found = list_dataset_vintages({"A": one, "B": other})
        assert [(each.fetched_at, each.updated_symbols) for each in found] == [
            (at(10), ("A", "B")),
            (at(11), ("A",)),
            (at(12), ("B",)),
        ]
        assert len({each.id for each in found}) == 3
        newest = {"A": one.latest_vintage, "B": other.latest_vintage}
        assert found[-1].id == combine_vintage_ids(newest)

    def test_it_begins_when_every_symbol_has_bars(self):
        found = list_dataset_vintages({"A": held((10, bars(10))), "B": held((12, bars(12)))})
        assert [each.fetched_at for each in found] == [at(12)]

    @pytest.mark.parametrize("swap", [False, True])
    def test_the_same_bars_have_the_same_id_whenever_they_were_pulled(self, swap):
        early, late = held((10, bars(10))), held((11, bars(10)))
        ids = [list_dataset_vintages({"A": each, "B": each})[-1].id for each in (early, late)]
        assert ids[0] == ids[1]
        names = ["B", "A"] if swap else ["A", "B"]
        other = list_dataset_vintages(dict.fromkeys(names, early))[-1].id
        assert (other == ids[0]) is not swap
