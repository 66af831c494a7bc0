"""Where the leak certificate cuts, and what it makes again there."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.leakage.cutoffs import N_SPREAD_CUTOFFS, Cutoff, choose_cutoffs
from engine.leakage.plan import MIN_WINDOWS_FOR_TWO_REFITS, ProbePlan
from engine.splits.walk_forward import WalkForwardWindow

FIRST = 100
LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=30)


def tiles(lengths: list[int]) -> list[range]:
    edges = [FIRST, *(FIRST + np.cumsum(lengths)).tolist()]
    return [range(start, stop) for start, stop in pairwise(edges)]


def schedule_of(lengths: list[int]) -> ProbePlan:
    tests = tiles(lengths)
    windows = [
        WalkForwardWindow(index, range(10, 50), range(52, test.start - 2), test)
        for index, test in enumerate(tests)
    ]
    return ProbePlan(choose_cutoffs(tests), windows)


@given(lengths=LENGTHS)
def test_there_are_enough_cuts_in_order_and_each_leaves_a_bar_to_replace(lengths) -> None:
    tests = tiles(lengths)
    first, last = tests[0].start, tests[-1].stop - 1
    rows = [cut.row for cut in choose_cutoffs(tests)]
    assert rows == sorted(set(rows))
    assert first - 1 <= rows[0]
    assert rows[-1] < last
    assert len(rows) == min(N_SPREAD_CUTOFFS + 1, last - first + 1)


@given(lengths=LENGTHS)
def test_the_kind_of_a_cut_is_true(lengths) -> None:
    tests = tiles(lengths)
    for cut in choose_cutoffs(tests):
        window = next((test for test in tests if cut.row in test), None)
        if cut.kind == "before the first window":
            assert cut.row == tests[0].start - 1
        elif cut.kind == "window start":
            assert cut.row == window.start
        elif cut.kind == "window end":
            assert cut.row == window.stop - 1
        else:
            assert cut.kind == "inside a window"


def test_many_windows_are_met_from_the_first_to_the_last_at_all_three_places() -> None:
    tests = tiles([40] * 20)
    cuts = choose_cutoffs(tests)
    kinds = [cut.kind for cut in cuts]
    assert min(kinds.count(k) for k in ("window start", "inside a window", "window end")) >= 2
    met = {next((i for i, t in enumerate(tests) if cut.row in t), -1) for cut in cuts}
    assert {0, 19} <= met
    assert len(met) >= N_SPREAD_CUTOFFS


def test_a_quiet_bar_and_the_close_that_completes_a_coarser_bar_are_among_the_cuts() -> None:
    tests = tiles([100, 100])
    quiet = np.zeros(300, dtype=bool)
    quiet[[20, 177]] = True
    weeks = np.arange(300) // 7 - 1
    cuts = choose_cutoffs(tests, inactive_bars=quiet, latest_coarse_bars=[weeks])
    assert Cutoff(177, "quiet bar") in cuts
    (complete,) = [cut.row for cut in cuts if cut.kind == "coarser bar complete"]
    assert weeks[complete] == weeks[complete - 1] + 1


@given(lengths=LENGTHS)
def test_every_window_but_the_last_is_rebuilt_whole_at_the_first_cut_behind_it(lengths) -> None:
    schedule = schedule_of(lengths)
    rebuilt = {
        window.index: cut.row
        for place, cut in reversed(list(enumerate(schedule.cutoffs)))
        for window in schedule.windows_to_rebuild(place)
        if window.test.stop - 1 <= cut.row
    }
    for window in schedule.windows:
        behind = [cut.row for cut in schedule.cutoffs if cut.row >= window.test.stop - 1]
        assert rebuilt.get(window.index) == (behind[0] if behind else None)


@given(lengths=LENGTHS)
def test_few_windows_are_fitted_again_and_only_ones_that_a_cut_splits(lengths) -> None:
    schedule = schedule_of(lengths)
    assert len(schedule.refits) <= (2 if len(lengths) >= MIN_WINDOWS_FOR_TWO_REFITS else 1)
    for place in schedule.refits:
        window = schedule.straddling_window(place)
        assert window.test.start <= schedule.cutoffs[place].row < window.test.stop - 1
    if max(lengths) > 1 and len(schedule.cutoffs) > len(lengths):
        assert schedule.refits


def test_every_book_is_filled_at_an_open_and_at_a_close() -> None:
    schedule = schedule_of([40] * 10)
    assert {schedule.price_known(place) for place in schedule.full_simulations} == {
        "open",
        "close",
    }


def test_where_orders_are_filled_at_closes_every_close_is_known() -> None:
    schedule = replace(schedule_of([40] * 10), fill_price="close")
    assert {schedule.price_known(place) for place in range(len(schedule.cutoffs))} == {"close"}


@pytest.mark.parametrize("bars", [1, 2, 3])
def test_the_shortest_spans_are_cut_wherever_they_can_be(bars: int) -> None:
    assert [cut.row for cut in choose_cutoffs(tiles([bars]))] == list(range(99, 99 + bars))
