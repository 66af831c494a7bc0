"""The vintages of a dataset, and what is stored for them."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.data.bars import hash_bars
from engine.data.store import vintages
from engine.data.store.vintages import VersionedBars, combine_vintage_ids, list_dataset_vintages
from tests.data.factories import DAY, START, daily_bars

SINCE = START


def bars(count, *, first=0, **changes):
    """Daily bars; each change sets a column of a row: `close=(4, 3.0)`."""
    frame = daily_bars(count, first=first)
    for column, (row, value) in changes.items():
        frame.loc[row, column] = value
    return frame


def at(day):
    return START + DAY * day


def pull_bars(*pulls):
    """Merges pulls of (day, bars); the first is the first vintage."""
    (day, first), *others = pulls
    versioned = VersionedBars.from_first_fetch(first, SINCE, at(day))
    for later, fetched in others:
        versioned = versioned.merge(fetched, SINCE, at(later))
    return versioned


def closes(frame):
    return frame["close"].tolist()


def test_newer_bars_extend_and_store_nothing_else():
    versioned = pull_bars((10, bars(10)), (11, bars(11)), (12, bars(12, first=9)))
    assert len(versioned.bars) == 12
    assert versioned.superseded.bars.empty
    assert [each.extended_by for each in versioned.vintages] == [10, 1, 1]
    assert [each.revision for each in versioned.vintages] == [None] * 3


def test_a_pull_without_changes_adds_no_vintage():
    versioned = pull_bars((10, bars(10)), (10.5, bars(10)))
    assert len(versioned.vintages) == 1
    assert versioned.fetched_at == at(10.5)


def test_only_the_bars_that_a_revision_changed_are_stored_twice():
    versioned = pull_bars((10, bars(10)), (11, bars(11, close=(4, 3.0))))
    assert closes(versioned.superseded.bars) == [104.0]
    assert versioned.bars["close"][4] == 3.0


def test_the_bars_as_of_each_pull_are_those_of_the_source_then():
    pulls = [
        (10, bars(10)),
        (11, bars(11)),
        (12, bars(12, close=(4, 3.0))),
        (13, bars(13, close=(4, 104.0), low=(9, 1.0))),
        (14, bars(14).drop(index=[2, 3])),
        (15, bars(15)),
    ]
    versioned = pull_bars(*pulls)
    for (day, expected), vintage in zip(pulls, versioned.vintages, strict=True):
        for delay in (0.0, 0.9):
            earlier = versioned.as_of(at(day + delay))
            pd.testing.assert_frame_equal(earlier, expected.reset_index(drop=True))
        assert vintage.fetched_at == at(day)
        assert hash_bars(earlier).startswith(vintage.id)
        assert versioned.vintage_at(at(day + 0.5)) == vintage
    assert versioned.as_of(at(9.9)) is None
    assert versioned.vintage_at(at(9.9)) is None


def test_a_source_that_delivers_less_history_removes_no_bars():
    versioned = pull_bars((10, bars(10)), (11, bars(11, first=5)))
    assert len(versioned.bars) == 11
    assert versioned.latest_vintage.revision is None


def test_a_rescaled_source_that_delivers_less_history_removes_older_bars():
    first = VersionedBars.from_first_fetch(bars(10), SINCE, at(10))
    fetched = bars(11, first=5)
    fetched[["open", "high", "low", "close"]] *= 0.5
    versioned = first.merge(fetched, SINCE, at(11), adjusted=True)
    assert len(versioned.bars) == 6
    assert (
        versioned.latest_vintage.revision.adjustment_factor,
        versioned.latest_vintage.revision.removed,
    ) == (0.5, 5)
    assert len(versioned.as_of(at(10))) == 10


def test_an_earlier_start_extends_backwards():
    versioned = VersionedBars.from_first_fetch(bars(10, first=5), at(5), at(10)).merge(
        bars(10), None, at(10.5)
    )
    assert versioned.requested_since is None
    assert (versioned.latest_vintage.extended_by, versioned.latest_vintage.revision) == (5, None)
    assert closes(versioned.as_of(at(10))) == [105.0, 106.0, 107.0, 108.0, 109.0]


def test_pulls_at_one_time_or_back_in_time_keep_their_order():
    versioned = pull_bars((10, bars(10)), (9, bars(11)), (10, bars(12, close=(3, 9.0))))
    assert [len(versioned.as_of(each.fetched_at)) for each in versioned.vintages] == [10, 11, 12]
    assert closes(versioned.as_of(versioned.vintages[1].fetched_at))[3] == 103.0


def test_unsorted_bars_are_stored_sorted():
    versioned = pull_bars((10, bars(10).iloc[::-1]), (11, bars(11).sample(frac=1, random_state=1)))
    pd.testing.assert_frame_equal(versioned.bars, bars(11))


def test_an_answer_without_bars_changes_nothing():
    assert len(pull_bars((10, bars(10)), (11, bars(0))).bars) == 10


def test_the_list_of_extensions_is_bounded_and_keeps_every_revision(monkeypatch):
    monkeypatch.setattr(vintages, "MAX_LISTED_VINTAGES", 6)
    pulls = [(10, bars(10)), (11, bars(11, close=(4, 3.0)))]
    pulls += [(day, bars(day, close=(4, 3.0))) for day in range(12, 40)]
    versioned = pull_bars(*pulls)
    assert len(versioned.vintages) == 6
    assert versioned.vintages[0].fetched_at == at(10)
    assert versioned.vintages[1].revision is not None
    assert versioned.latest_vintage.fetched_at == at(39)
    pd.testing.assert_frame_equal(versioned.as_of(at(20)), bars(20, close=(4, 3.0)))


class TestDatasetVintages:
    def test_a_dataset_has_a_vintage_for_each_of_its_symbols_vintages(self):
        one = pull_bars((10, bars(10)), (11, bars(11)))
        other = pull_bars((10, bars(9)), (12, bars(12, close=(1, 7.0))))
        listed = list_dataset_vintages({"A": one, "B": other})
        assert [(each.fetched_at, each.updated_symbols) for each in listed] == [
            (at(10), ("A", "B")),
            (at(11), ("A",)),
            (at(12), ("B",)),
        ]
        assert len({each.id for each in listed}) == 3
        newest = {"A": one.latest_vintage, "B": other.latest_vintage}
        assert listed[-1].id == combine_vintage_ids(newest)

    def test_the_first_vintage_is_when_every_symbol_has_bars(self):
        listed = list_dataset_vintages(
            {"A": pull_bars((10, bars(10))), "B": pull_bars((12, bars(12)))}
        )
        assert [each.fetched_at for each in listed] == [at(12)]

    @pytest.mark.parametrize("swap", [False, True])
    def test_the_same_bars_have_the_same_id_whenever_they_were_pulled(self, swap):
        early, late = pull_bars((10, bars(10))), pull_bars((11, bars(10)))
        ids = [list_dataset_vintages({"A": each, "B": each})[-1].id for each in (early, late)]
        assert ids[0] == ids[1]
        names = ["B", "A"] if swap else ["A", "B"]
        other = list_dataset_vintages(dict.fromkeys(names, early))[-1].id
        assert (other == ids[0]) is not swap
