from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from engine.core.errors import UsageError
from engine.splits.config import Duration, WindowSpec
from engine.splits.walk_forward import (
    WalkForwardWindow,
    WindowClock,
    make_walk_forward_windows,
)
from tests.hypothesis_examples import examples


def days(first: str, last: str, freq: str = "D") -> pd.DatetimeIndex:
    return pd.date_range(first, last, freq=freq, tz="UTC", name="timestamp")


def table(
    timestamps: pd.DatetimeIndex, windows: tuple[WalkForwardWindow, ...]
) -> list[tuple[str, ...]]:
    """First and last day of train, validation and test, one row per window."""
    parts = [(window.train, window.validation, window.test) for window in windows]
    return [
        tuple(f"{timestamps[part[end]]:%Y-%m-%d}" for part in row for end in (0, -1))
        for row in parts
    ]


def test_lengths_in_bars_count_rows() -> None:
    timestamps = days("2020-01-01", "2020-01-20")
    spec = WindowSpec(train=5, validation=2, test=4)
    assert make_walk_forward_windows(timestamps, spec, first_row=2, horizon=1) == (
        WalkForwardWindow(0, range(2, 7), range(8, 10), range(11, 15)),
        WalkForwardWindow(1, range(6, 11), range(12, 14), range(15, 19)),
        WalkForwardWindow(2, range(10, 15), range(16, 18), range(19, 20)),
    )


def test_an_expanding_train_part_begins_at_the_first_usable_row() -> None:
    timestamps = days("2020-01-01", "2020-01-20")
    spec = WindowSpec(kind="expanding", train=5, validation=2, test=4)
    assert make_walk_forward_windows(timestamps, spec, first_row=2, horizon=1) == (
        WalkForwardWindow(0, range(2, 7), range(8, 10), range(11, 15)),
        WalkForwardWindow(1, range(2, 11), range(12, 14), range(15, 19)),
        WalkForwardWindow(2, range(2, 15), range(16, 18), range(19, 20)),
    )


def test_the_gaps_are_horizon_plus_embargo_rows() -> None:
    timestamps = days("2020-01-01", "2020-01-20")
    spec = WindowSpec(train=5, validation=2, test=10, embargo=2)
    (window,) = make_walk_forward_windows(timestamps, spec, first_row=0, horizon=3)
    assert window == WalkForwardWindow(0, range(5), range(10, 12), range(17, 20))


def test_calendar_lengths_follow_the_calendar() -> None:
    timestamps = days("2013-01-01", "2020-03-31")
    spec = WindowSpec(train="4y", validation="6mo", test="1y")
    windows = make_walk_forward_windows(timestamps, spec, first_row=0, horizon=1)
    assert table(timestamps, windows) == [
        ("2013-01-01", "2016-12-31", "2017-01-02", "2017-07-01", "2017-07-03", "2018-07-02"),
        ("2014-01-01", "2017-12-31", "2018-01-02", "2018-07-01", "2018-07-03", "2019-07-02"),
        ("2015-01-01", "2018-12-31", "2019-01-02", "2019-07-01", "2019-07-03", "2020-03-31"),
    ]


def test_calendar_lengths_contain_the_bars_within_them() -> None:
    timestamps = days("2020-01-01", "2020-02-14", freq="B")
    spec = WindowSpec(train="2w", validation="7d", test="1w")
    windows = make_walk_forward_windows(timestamps, spec, first_row=0, horizon=1)
    assert table(timestamps, windows) == [
        ("2020-01-01", "2020-01-14", "2020-01-16", "2020-01-22", "2020-01-24", "2020-01-30"),
        ("2020-01-08", "2020-01-21", "2020-01-23", "2020-01-29", "2020-01-31", "2020-02-06"),
        ("2020-01-15", "2020-01-28", "2020-01-30", "2020-02-05", "2020-02-07", "2020-02-13"),
        ("2020-01-22", "2020-02-04", "2020-02-06", "2020-02-12", "2020-02-14", "2020-02-14"),
    ]


def test_monthly_test_parts_do_not_drift_from_the_month_end() -> None:
    timestamps = days("2021-01-10", "2021-06-30")
    spec = WindowSpec(train=15, validation=4, test="1mo")
    windows = make_walk_forward_windows(timestamps, spec, first_row=0, horizon=1)
    starts = [f"{timestamps[window.test[0]]:%m-%d}" for window in windows]
    assert starts == ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30"]


def test_bars_and_calendar_terms_may_be_mixed() -> None:
    timestamps = days("2020-01-01", "2020-04-10")
    spec = WindowSpec(train="1mo", validation=10, test="30d")
    windows = make_walk_forward_windows(timestamps, spec, first_row=4, horizon=2)
    assert table(timestamps, windows) == [
        ("2020-01-05", "2020-02-04", "2020-02-07", "2020-02-16", "2020-02-19", "2020-03-19"),
        ("2020-02-06", "2020-03-05", "2020-03-08", "2020-03-17", "2020-03-20", "2020-04-10"),
    ]


def test_a_test_part_without_a_bar_is_left_out() -> None:
    timestamps = days("2020-01-01", "2020-01-10").append(days("2020-02-01", "2020-02-03"))
    spec = WindowSpec(train=4, validation=2, test="2d")
    windows = make_walk_forward_windows(timestamps, spec, first_row=0, horizon=1)
    assert table(timestamps, windows)[1:] == [
        ("2020-01-03", "2020-01-06", "2020-01-08", "2020-01-09", "2020-02-01", "2020-02-01"),
        ("2020-01-04", "2020-01-07", "2020-01-09", "2020-01-10", "2020-02-02", "2020-02-03"),
    ]
    assert windows[0].test == range(8, 10)


def test_a_part_without_a_bar_is_an_error_that_names_its_key() -> None:
    timestamps = days("2020-01-01", "2020-03-01", freq="W-MON")
    spec = WindowSpec(train=3, validation="2d", test=2)
    with pytest.raises(UsageError) as caught:
        make_walk_forward_windows(timestamps, spec, first_row=0, horizon=1)
    assert caught.value.where == "windows.validation"
    assert "2d" in str(caught.value)


def test_exactly_enough_bars_make_one_window_of_one_test_bar() -> None:
    timestamps = days("2020-01-01", "2020-01-31")
    spec = WindowSpec(train=20, validation=4, test=5)
    (window,) = make_walk_forward_windows(timestamps, spec, first_row=4, horizon=1)
    assert window.test == range(30, 31)


def test_the_error_of_one_bar_too_few_has_needed_and_available_bars() -> None:
    timestamps = days("2020-01-01", "2020-01-30")
    spec = WindowSpec(train=20, validation=4, test=5)
    with pytest.raises(UsageError) as caught:
        make_walk_forward_windows(timestamps, spec, first_row=4, horizon=1)
    assert "at least 31 bars: 4 to warm up, 20 to train (windows.train: 20)" in str(caught.value)
    assert "found: 30 bars, 2020-01-01 to 2020-01-30" in str(caught.value)
    assert "lower windows.train or windows.validation" in str(caught.value)


@pytest.mark.parametrize("count", [0, 1, 800])
def test_the_error_of_a_short_history_gives_calendar_lengths_in_bars(count: int) -> None:
    timestamps = days("2020-01-01", "2025-01-01")[:count]
    with pytest.raises(UsageError) as caught:
        make_walk_forward_windows(timestamps, WindowSpec(train="3y"), first_row=30, horizon=1)
    assert f"found: {count} bars" in str(caught.value)
    assert "windows.train: 3y" in str(caught.value)
    assert count < 2 or "at least 1311 bars: 30 to warm up, 1096 to train" in str(caught.value)


@pytest.mark.parametrize("length", ["3", "0d", "1.5y", "2q", "-3d", "3 y", "", "1000y", 0, -5])
def test_an_invalid_length_is_an_error(length: int | str) -> None:
    with pytest.raises(ValueError, match="bars"):
        TypeAdapter(Duration).validate_python(length)


LENGTHS = {
    "3d": pd.Timedelta(days=3),
    "20d": pd.Timedelta(days=20),
    "6w": pd.Timedelta(weeks=6),
    "1mo": pd.DateOffset(months=1),
    "3mo": pd.DateOffset(months=3),
}
DURATIONS = st.integers(1, 40) | st.sampled_from(sorted(LENGTHS))


@st.composite
def walks(draw: st.DrawFn) -> tuple[pd.DatetimeIndex, WindowSpec, int, int]:
    """Bars with holes, and any lengths."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = rng.choice([1, 1, 1, 1, 2, 4], size=draw(st.integers(30, 250)))
    timestamps = pd.Timestamp("2019-11-28", tz="UTC") + pd.to_timedelta(steps.cumsum(), unit="D")
    spec = WindowSpec(
        kind=draw(st.sampled_from(["rolling", "expanding"])),
        train=draw(DURATIONS),
        validation=draw(DURATIONS),
        test=draw(DURATIONS),
        embargo=draw(st.integers(0, 3)),
    )
    return timestamps, spec, draw(st.integers(0, 10)), draw(st.integers(1, 5))


def cut_or_reject(
    timestamps: pd.DatetimeIndex, spec: WindowSpec, first_row: int, horizon: int
) -> tuple[WalkForwardWindow, ...]:
    try:
        return make_walk_forward_windows(timestamps, spec, first_row=first_row, horizon=horizon)
    except UsageError:
        assume(False)
        raise


PROPERTY = settings(max_examples=100, deadline=None)


@PROPERTY
@given(walks())
def test_test_parts_tile_the_bars_to_the_last_one(
    walk: tuple[pd.DatetimeIndex, WindowSpec, int, int],
) -> None:
    windows = cut_or_reject(*walk)
    tested = [row for window in windows for row in window.test]
    assert tested == list(range(windows[0].test.start, len(walk[0])))
    assert [window.index for window in windows] == list(range(len(windows)))
    assert all(window.test for window in windows)


@PROPERTY
@given(walks())
def test_no_label_extends_into_the_next_part(
    walk: tuple[pd.DatetimeIndex, WindowSpec, int, int],
) -> None:
    _, spec, _, horizon = walk
    for window in cut_or_reject(*walk):
        for part, following in (
            (window.train, window.validation),
            (window.validation, window.test),
        ):
            assert part[-1] + horizon + spec.embargo == following[0] - 1


@PROPERTY
@given(walks())
def test_train_parts_begin_as_specified(
    walk: tuple[pd.DatetimeIndex, WindowSpec, int, int],
) -> None:
    timestamps, spec, first_row, _ = walk
    for window in cut_or_reject(*walk):
        assert window.train.start >= first_row
        if spec.kind == "expanding":
            assert window.train.start == first_row
        elif isinstance(spec.train, int):
            assert len(window.train) == spec.train
        else:
            end = timestamps[window.train.stop]
            inside = (timestamps >= end - LENGTHS[spec.train]) & (timestamps < end)
            assert list(window.train) == inside.nonzero()[0].tolist()


@PROPERTY
@given(walks())
def test_the_first_test_begins_as_early_as_it_can(
    walk: tuple[pd.DatetimeIndex, WindowSpec, int, int],
) -> None:
    timestamps, spec, first_row, horizon = walk
    first = cut_or_reject(*walk)[0].test.start
    with pytest.raises(UsageError):
        make_walk_forward_windows(timestamps[:first], spec, first_row=first_row, horizon=horizon)


@PROPERTY
@given(walks(), st.integers(1, 20))
def test_later_bars_change_no_earlier_window(
    walk: tuple[pd.DatetimeIndex, WindowSpec, int, int], fewer: int
) -> None:
    timestamps, *rest = walk
    later = cut_or_reject(*walk)
    assume(len(timestamps) - fewer > later[0].test.start)
    earlier = cut_or_reject(timestamps[:-fewer], *rest)
    assert earlier[:-1] == later[: len(earlier) - 1]
    last, same = earlier[-1], later[len(earlier) - 1]
    assert (last.train, last.validation) == (same.train, same.validation)
    assert last.test.start == same.test.start


def test_a_delay_moves_every_start_by_its_share_of_a_test_part() -> None:
    timestamps = days("2020-01-01", "2020-01-20")
    spec = WindowSpec(train=5, validation=2, test=4)
    half = make_walk_forward_windows(
        timestamps, spec, first_row=2, horizon=1, delay=Fraction(1, 2)
    )
    assert half == (
        WalkForwardWindow(0, range(4, 9), range(10, 12), range(13, 17)),
        WalkForwardWindow(1, range(8, 13), range(14, 16), range(17, 20)),
    )


def test_a_delay_of_a_calendar_part_is_counted_in_time() -> None:
    timestamps = days("2013-01-01", "2020-03-31")
    spec = WindowSpec(train="4y", validation="6mo", test="1y")
    own, quarter = (
        make_walk_forward_windows(timestamps, spec, first_row=0, horizon=1, delay=delay)
        for delay in (Fraction(0), Fraction(1, 4))
    )
    assert quarter[0].test.start - own[0].test.start == pytest.approx(365 / 4, abs=1)
    firsts = [timestamps[window.test.start] for window in quarter]
    assert [(each.month, each.day) for each in firsts] == [(firsts[0].month, firsts[0].day)] * 3


def test_a_delay_past_the_last_bar_states_the_bars_it_needs() -> None:
    timestamps = days("2020-01-01", "2020-01-20")
    spec = WindowSpec(train=5, validation=2, test=400)
    with pytest.raises(UsageError) as caught:
        make_walk_forward_windows(timestamps, spec, first_row=2, horizon=1, delay=Fraction(1, 2))
    assert caught.value.where == "paths.offsets"
    assert "2020-01-20" in caught.value.found


@PROPERTY
@given(walks(), st.integers(1, 7))
def test_delayed_windows_keep_every_rule_of_the_schedule(
    walk: tuple[pd.DatetimeIndex, WindowSpec, int, int], eighths: int
) -> None:
    timestamps, spec, first_row, horizon = walk
    own = cut_or_reject(*walk)
    try:
        delayed = make_walk_forward_windows(
            timestamps,
            spec,
            first_row=first_row,
            horizon=horizon,
            delay=Fraction(eighths, 8),
        )
    except UsageError:
        assume(False)
    tested = [row for window in delayed for row in window.test]
    assert tested == list(range(delayed[0].test.start, len(timestamps)))
    assert delayed[0].test.start >= own[0].test.start
    for window in delayed:
        assert window.train.start >= first_row
        assert window.train[-1] + horizon + spec.embargo == window.validation[0] - 1
        assert window.validation[-1] + horizon + spec.embargo == window.test[0] - 1


@examples(30)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.sampled_from([1, 3, 20, "1d", "2w", "1mo", "6mo"]),
    start=st.integers(0, 100),
)
def test_a_clock_names_the_first_test_bars_as_bars_arrive(
    seed: int, length: Duration, start: int
) -> None:
    rng = np.random.default_rng(seed)
    gaps = pd.to_timedelta(rng.choice([1, 1, 1, 3, 40], 150).cumsum(), unit="D")
    timestamps = pd.DatetimeIndex(pd.Timestamp("2019-12-30", tz="UTC") + gaps, name="timestamp")
    spec = WindowSpec(train=10, validation=5, test=length)
    windows = make_walk_forward_windows(timestamps, spec, first_row=0, horizon=1)
    first = windows[0].test.start
    start = max(start, first - 1)
    clock = WindowClock.after(
        length, timestamps[first], timestamps[start], max(start - first + 1, 0)
    )
    named = []
    for row in range(start + 1, len(timestamps)):
        if clock.begins(timestamps[row]):
            named.append(row)
        clock = clock.advance(timestamps[row])
    assert named == [window.test.start for window in windows if window.test.start > start]
