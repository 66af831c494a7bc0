"""Where the leak certificate cuts, and what it makes again there."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.leakage.cutoffs import N_CUTOFFS, Cutoff, choose_cutoffs
from engine.leakage.plan import N_REFIT_DRAWS, N_REFIT_WINDOWS, ProbePlan
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
    assert len(rows) == min(N_CUTOFFS, last - first + 1)


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
    assert len(met) >= N_CUTOFFS - 1


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
def test_the_windows_are_rebuilt_that_a_cut_is_in_or_before(lengths) -> None:
    schedule = schedule_of(lengths)
    for place, cut in enumerate(schedule.cutoffs):
        rebuilt = {window.index for window in schedule.windows_to_rebuild(place)}
        for window in schedule.windows:
            within = cut.row in window.test
            assert (window.index in rebuilt) == (within or cut.row + 1 == window.test.start)


@given(lengths=LENGTHS)
def test_a_users_model_is_fitted_again_before_eight_futures_of_all_its_test_rows_but_one(
    lengths,
) -> None:
    plan = schedule_of(lengths)
    draws = plan.refit_draws
    assert [draw.number for draw in draws] == list(range(N_REFIT_DRAWS))
    assert len({draw.cutoff for draw in draws}) <= N_REFIT_WINDOWS
    for draw in draws:
        row, window = plan.cutoffs[draw.cutoff].row, plan.window_to_refit(draw.cutoff)
        assert window.test.start - 1 <= row <= window.test.start
        assert row < window.test.stop - 1
    by_cutoff = {
        draw.cutoff: [d.scenario for d in draws if d.cutoff == draw.cutoff] for draw in draws
    }
    for scenarios in by_cutoff.values():
        assert {"fall", "rally", "ordinary"} == set(scenarios)


@given(lengths=LENGTHS)
def test_thresholds_of_every_window_that_a_cutoff_has_met_are_compared_once(lengths) -> None:
    plan = schedule_of(lengths)
    begun = [w.index for place in range(len(plan.cutoffs)) for w in plan.windows_begun(place)]
    last = plan.cutoffs[-1].row
    assert begun == [window.index for window in plan.windows if window.test.start <= last]


def test_where_orders_are_filled_at_opens_no_more_than_the_open_is_known() -> None:
    assert schedule_of([40] * 10).price_known == "open"


def test_where_orders_are_filled_at_closes_every_close_is_known() -> None:
    schedule = replace(schedule_of([40] * 10), fill_price="close")
    assert schedule.price_known == "close"


@pytest.mark.parametrize("bars", [1, 2, 3])
def test_the_shortest_spans_are_cut_wherever_they_can_be(bars: int) -> None:
    assert [cut.row for cut in choose_cutoffs(tiles([bars]))] == list(range(99, 99 + bars))


@pytest.mark.parametrize("special", [0, 1, 2, 4])
def test_the_last_window_is_met_however_many_bars_are_special(special) -> None:
    tests = tiles([40] * 20)
    latest = np.arange(tests[-1].stop) // 7
    cuts = choose_cutoffs(tests, latest_coarse_bars=[latest // (k + 1) for k in range(special)])
    assert any(cut.row in tests[-1] for cut in cuts)
