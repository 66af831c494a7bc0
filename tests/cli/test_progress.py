from __future__ import annotations

import re
from contextlib import suppress
from io import StringIO

import pytest
from rich.console import Console

from engine.cli.progress import LineProgress, QuietProgress, RichProgress


class Clock:
    """A clock that only the test advances."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_lines_print_stages_and_notices() -> None:
    stream = StringIO()
    lines = LineProgress(stream, Clock())

    lines.stage("data")
    lines.notice("offline bars are used")
    lines.stage("features")

    assert stream.getvalue() == "data\noffline bars are used\nfeatures\n"


def test_lines_print_every_finished_item_below_its_stage() -> None:
    stream = StringIO()
    lines = LineProgress(stream, Clock())

    lines.stage("data")
    lines.line("AAPL: 20 bars")
    lines.line("MSFT: 20 bars")

    assert stream.getvalue() == "data\n  AAPL: 20 bars\n  MSFT: 20 bars\n"


def test_lines_print_progress_every_two_seconds_with_the_time_left() -> None:
    stream, clock = StringIO(), Clock()
    lines = LineProgress(stream, clock)
    lines.stage("refits")

    for done in range(1, 11):
        clock.now += 0.75
        lines.advance(done, 10, f"fit {done}")

    assert stream.getvalue().splitlines() == [
        "refits",
        "refits: 3 of 10 (fit 3), about 5 s left",
        "refits: 6 of 10 (fit 6), about 3 s left",
        "refits: 9 of 10 (fit 9), about 1 s left",
        "refits: 10 of 10 (fit 10)",
    ]


def test_lines_print_no_time_left_before_the_first_unit() -> None:
    stream, clock = StringIO(), Clock()
    lines = LineProgress(stream, clock)
    lines.stage("refits")
    clock.now += 10

    lines.advance(0, 10, "loading")

    assert stream.getvalue() == "refits\nrefits: 0 of 10 (loading)\n"


def test_loading_time_does_not_count_for_the_pace() -> None:
    stream, clock = StringIO(), Clock()
    lines = LineProgress(stream, clock)
    lines.stage("refits")
    clock.now += 60
    lines.advance(1, 11, "fit 1")
    clock.now += 2
    lines.advance(3, 11, "fit 3")

    assert stream.getvalue().splitlines()[1:] == [
        "refits: 1 of 11 (fit 1)",
        "refits: 3 of 11 (fit 3), about 8 s left",
    ]


def test_quiet_prints_notices_only() -> None:
    stream = StringIO()
    notices = QuietProgress(stream)

    notices.stage("data")
    notices.notice("offline bars are used")
    notices.line("AAPL: 20 bars")
    notices.advance(1, 2, "fit 1")

    assert stream.getvalue() == "offline bars are used\n"


def test_the_bar_leaves_a_line_for_each_finished_stage_and_notice() -> None:
    stream = StringIO()
    bars = RichProgress(Console(file=stream, force_terminal=True, width=100))

    with bars.displayed():
        bars.stage("data")
        bars.notice("offline [bars] are used")
        bars.line("AAPL: 20 [new] bars")
        bars.stage("refits")
        bars.advance(1, 12, "window 0")

    drawn = stream.getvalue()
    assert "offline [bars] are used" in drawn
    assert "  AAPL: 20 [new] bars" in drawn
    assert "starting" not in [line.split()[0] for line in drawn.splitlines() if line.split()]
    for stage in ("data", "refits"):
        assert f"  {stage:<11}    0.0 s" in drawn


def test_the_bar_shows_count_and_time_left() -> None:
    stream = StringIO()
    clock = Clock()
    bars = RichProgress(Console(file=stream, force_terminal=True, width=120), clock)

    with bars.displayed():
        bars.stage("refits")
        bars.advance(1, 12, "window 1")
        clock.now += 20
        bars.advance(3, 12, "window 2")
        bars.redraw()

    assert "3/12" in stream.getvalue()
    assert "1:30 left" in stream.getvalue()
    assert "window 2" in stream.getvalue()


def test_a_failed_stage_is_not_printed_as_finished() -> None:
    stream = StringIO()
    bars = RichProgress(Console(file=stream, force_terminal=True, width=100))

    with suppress(ZeroDivisionError), bars.displayed():
        bars.stage("data")
        bars.stage("refits")
        raise ZeroDivisionError

    assert "  data       " in stream.getvalue()
    assert "  refits       " not in stream.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_a_narrow_terminal_truncates_no_figure(width: int) -> None:
    stream, clock = StringIO(), Clock()
    bars = RichProgress(
        Console(file=stream, force_terminal=True, width=width, color_system=None), clock
    )

    with bars.displayed():
        bars.stage("refits")
        bars.advance(1, 12, "0 of 4 windows, 1 cached, 0 trained")
        clock.now += 20
        bars.advance(9, 12, "3 of 4 windows, 3 cached, 6 trained")
        bars.redraw()

    drawn = re.split(r"[\r\n]", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()))
    shown = [line for line in drawn if "9/12" in line]
    assert shown
    assert all("refits" in line and "0:08 left" in line for line in shown)
    assert max(map(len, drawn)) <= width


def test_each_run_of_a_sweep_is_a_line_and_a_notice_is_printed_once() -> None:
    stream = StringIO()
    lines, bars = LineProgress(stream, Clock()), StringIO()

    for number in (1, 2):
        lines.run(number, 2, f"seed={number}")
        lines.notice("offline bars are used")
    with (drawn := RichProgress(Console(file=bars, force_terminal=True, width=80))).displayed():
        for number in (1, 2):
            drawn.run(number, 2, f"seed={number}")
            drawn.stage("data")
            drawn.notice("offline bars are used")

    assert stream.getvalue().splitlines() == [
        "run 1 of 2 (seed=1)",
        "offline bars are used",
        "run 2 of 2 (seed=2)",
    ]
    assert bars.getvalue().count("run 2 of 2 (seed=2)") == 1
    assert bars.getvalue().count("offline bars are used") == 1
