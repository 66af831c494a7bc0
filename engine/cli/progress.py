"""Progress and notices on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from engine.cli.terminal import write_text
from engine.core.control_characters import escape_controls, escape_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import ProgressColumn, TaskID

    from engine.core.progress import SweepProgress

SECONDS_BETWEEN_LINES = 2.0
MIN_SECONDS_FOR_ETA = 1.0
MIN_WIDTH_FOR_ELAPSED, MIN_WIDTH_FOR_BAR = 100, 60
"""Width of the terminal from which the elapsed time and the bar are shown."""


@contextmanager
def stderr_progress(*, quiet: bool) -> Iterator[SweepProgress]:
    """The progress display for stderr; the bar is removed when the block is left."""
    if quiet:
        yield QuietProgress(sys.stderr)
    elif not sys.stderr.isatty():
        yield LineProgress(sys.stderr)
    else:
        from rich.console import Console

        bars = RichProgress(Console(stderr=True))
        with bars.displayed():
            yield bars


class EtaEstimator:
    """Remaining time, from the pace since the first unit: loading time is not counted."""

    def __init__(self) -> None:
        self._first_update: tuple[int, float] | None = None

    def seconds_left(self, done: int, total: int, now: float) -> float | None:
        """Seconds; None while there is too little information, and at the end."""
        if self._first_update is None:
            self._first_update = (done, now)
        first_done, first_time = self._first_update
        if done in {first_done, total} or now - first_time < MIN_SECONDS_FOR_ETA:
            return None
        return (now - first_time) / (done - first_done) * (total - done)


class QuietProgress:
    """Prints notices only, each one once for all runs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._printed_notices: set[str] = set()

    def run(self, number: int, total: int, name: str) -> None:
        """Prints nothing."""

    def stage(self, name: str) -> None:
        """Prints nothing."""

    def notice(self, text: str) -> None:
        """Prints one line, unless it was printed before."""
        if text not in self._printed_notices:
            self._printed_notices.add(text)
            write_text(self._stream, text)

    def line(self, text: str) -> None:
        """Prints nothing."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Prints nothing."""


class LineProgress:
    """One line per stage, and one every two seconds while it advances.

    Args:
        stream: Output stream.
        clock: Time in seconds, from any origin.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._stage = ""
        self._last_printed_at = clock()
        self._eta = EtaEstimator()
        self._printed_notices: set[str] = set()

    def run(self, number: int, total: int, name: str) -> None:
        """Prints one line."""
        self._print(f"run {number} of {total} ({name})")

    def stage(self, name: str) -> None:
        """Prints one line."""
        self._stage = name
        self._last_printed_at = self._clock()
        self._eta = EtaEstimator()
        self._print(name)

    def notice(self, text: str) -> None:
        """Prints one line, unless it was printed before."""
        if text not in self._printed_notices:
            self._printed_notices.add(text)
            self._print(text)

    def line(self, text: str) -> None:
        """Prints one indented line below its stage."""
        self._print(f"  {text}")

    def advance(self, done: int, total: int, what: str) -> None:
        """Prints one line at most every two seconds, and always at the end."""
        now = self._clock()
        left = self._eta.seconds_left(done, total, now)
        if done < total and now - self._last_printed_at < SECONDS_BETWEEN_LINES:
            return
        self._last_printed_at = now
        ending = "" if left is None else f", about {left:.0f} s left"
        self._print(f"{self._stage}: {done} of {total} ({what}){ending}")

    def _print(self, line: str) -> None:
        write_text(self._stream, line)


class RichProgress:
    """A bar for the current stage, with the remaining time; finished stages stay as lines.

    Args:
        console: Console of the terminal.
        clock: Time in seconds, from any origin.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.progress import Progress

        self._console = console
        self._clock = clock
        self._progress = Progress(
            *_progress_columns(console.width), console=console, transient=True
        )
        self._task: TaskID | None = None
        self._stage = ""
        self._started_at = 0.0
        self._eta = EtaEstimator()
        self._printed_notices: set[str] = set()

    @contextmanager
    def displayed(self) -> Iterator[None]:
        """Shows the bar until the block is left."""
        with self._progress:
            self._start_stage("starting")
            try:
                yield
            except BaseException:
                self._stage = ""  # a stage that failed is not printed as finished
                raise
            finally:
                self._finish_stage()

    def run(self, number: int, total: int, name: str) -> None:
        """Prints a line above the bar, and finishes the stage of the run before."""
        self._finish_stage()
        self._print(f"run {number} of {total} ({name})", "bold")
        self._start_stage("starting")

    def stage(self, name: str) -> None:
        """Starts a new bar; the stage before it becomes a line."""
        self._finish_stage()
        self._start_stage(name)

    def notice(self, text: str) -> None:
        """Prints a line above the bar, unless it was printed before."""
        if text not in self._printed_notices:
            self._printed_notices.add(text)
            self._print(text, "yellow")

    def line(self, text: str) -> None:
        """Prints a line above the bar."""
        self._print(f"  {text}", "dim")

    def advance(self, done: int, total: int, what: str) -> None:
        """Advances the bar."""
        if self._task is None:
            return
        seconds = self._eta.seconds_left(done, total, self._clock())
        count, left = (
            f"{done}/{total}",
            "" if seconds is None else f"{_format_minutes(seconds)} left",
        )
        text_width = _text_width(self._console.width, self._stage, count, left)
        self._progress.update(
            self._task,
            completed=done,
            total=total,
            count=count,
            left=left,
            what=escape_line(what)[:text_width].rstrip(", "),
        )

    def redraw(self) -> None:
        """Redraws now, not at the next refresh."""
        self._progress.refresh()

    def _print(self, text: str, style: str = "") -> None:
        """Prints a line above the bar; Rich finds no markup and no emoji code in a `Text`."""
        from rich.text import Text

        self._console.print(Text(escape_controls(text), style))

    def _start_stage(self, name: str) -> None:
        self._stage = name
        self._started_at = self._clock()
        self._eta = EtaEstimator()
        self._task = self._progress.add_task(
            escape_line(name), total=None, count="", left="", what=""
        )

    def _finish_stage(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        if self._stage not in {"", "starting"}:
            seconds = self._clock() - self._started_at
            self._print(f"  {self._stage:<11} {seconds:6.1f} s")


def _progress_columns(width: int) -> list[ProgressColumn]:
    """The columns that fit the width."""
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

    return [
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *([BarColumn(_bar_width(width))] if _bar_width(width) else []),
        TextColumn("{task.fields[count]}", markup=False),
        *([TimeElapsedColumn()] if width >= MIN_WIDTH_FOR_ELAPSED else []),
        TextColumn("{task.fields[left]}", markup=False),
        TextColumn("{task.fields[what]}", style="dim", markup=False),
    ]


def _bar_width(width: int) -> int:
    return 24 if width >= MIN_WIDTH_FOR_ELAPSED else 10 if width >= MIN_WIDTH_FOR_BAR else 0


def _text_width(width: int, name: str, count: str, time_left: str) -> int:
    """Width left for the text at the end; the figures before it are never truncated."""
    shown = [
        "*",
        name,
        *(["=" * _bar_width(width)] if _bar_width(width) else []),
        count,
        time_left,
    ]
    shown += ["0:00:00"] if width >= MIN_WIDTH_FOR_ELAPSED else []
    return max(0, width - sum(len(part) + 1 for part in shown))


def _format_minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
