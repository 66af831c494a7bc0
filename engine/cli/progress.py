"""Progress and notices on stderr: drawn on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import ProgressColumn, TaskID

    from engine.progress import FamilyProgress

SECONDS_BETWEEN_LINES = 2.0
SECONDS_TO_KNOW = 1.0
WIDE, MIDDLING = 100, 60
"""Columns of a terminal from which there is room for the time gone by, and for a bar."""


@contextmanager
def told_on_stderr(*, quiet: bool) -> Iterator[FamilyProgress]:
    """The progress that suits stderr; whatever it drew is cleared when the block is left."""
    if quiet:
        yield Notices(sys.stderr)
    elif not sys.stderr.isatty():
        yield Lines(sys.stderr)
    else:
        from rich.console import Console

        bars = Bars(Console(stderr=True))
        with bars.drawn():
            yield bars


class Pace:
    """Time left, judged by what was done since the first unit: loading is no part of the pace."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def left(self, done: int, total: int, now: float) -> float | None:
        """Seconds; None while too little was seen to tell, and at the end."""
        if self._first is None:
            self._first = (done, now)
        begun, then = self._first
        if done in {begun, total} or now - then < SECONDS_TO_KNOW:
            return None
        return (now - then) / (done - begun) * (total - done)


class Notices:
    """Only what the user must know, each thing once however many runs tell it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._heard: set[str] = set()

    def run(self, number: int, total: int, name: str) -> None:
        """Not told."""

    def stage(self, name: str) -> None:
        """Not told."""

    def notice(self, text: str) -> None:
        """One line, unless it was told before."""
        if text not in self._heard:
            self._heard.add(text)
            print(text, file=self._stream, flush=True)

    def line(self, text: str) -> None:
        """Not told."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Not told."""


class Lines:
    """A line a stage, and one every couple of seconds while it advances.

    Args:
        stream: Where the lines go.
        clock: Seconds, from any start.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._stage = ""
        self._told = clock()
        self._pace = Pace()
        self._heard: set[str] = set()

    def run(self, number: int, total: int, name: str) -> None:
        """One line."""
        self._print(f"run {number} of {total} ({name})")

    def stage(self, name: str) -> None:
        """One line."""
        self._stage = name
        self._told = self._clock()
        self._pace = Pace()
        self._print(name)

    def notice(self, text: str) -> None:
        """One line, unless it was told before."""
        if text not in self._heard:
            self._heard.add(text)
            self._print(text)

    def line(self, text: str) -> None:
        """One line, under its stage."""
        self._print(f"  {text}")

    def advance(self, done: int, total: int, what: str) -> None:
        """One line, unless the last is younger than a couple of seconds; the end always."""
        now = self._clock()
        left = self._pace.left(done, total, now)
        if done < total and now - self._told < SECONDS_BETWEEN_LINES:
            return
        self._told = now
        ending = "" if left is None else f", about {left:.0f} s left"
        self._print(f"{self._stage}: {done} of {total} ({what}){ending}")

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class Bars:
    """A bar for the stage at work, with the time left; finished stages stay as lines.

    Args:
        console: Of the terminal.
        clock: Seconds, from any start.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.progress import Progress

        self._console = console
        self._clock = clock
        self._progress = Progress(*_columns(console.width), console=console, transient=True)
        self._task: TaskID | None = None
        self._name = ""
        self._began = 0.0
        self._pace = Pace()
        self._heard: set[str] = set()

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """Draws until the block is left."""
        with self._progress:
            self._begin("starting")
            try:
                yield
            except BaseException:
                self._name = ""  # a stage that failed is not told as finished
                raise
            finally:
                self._end()

    def run(self, number: int, total: int, name: str) -> None:
        """A line above the bar, which is done with the run before."""
        self._end()
        self._console.print(
            f"run {number} of {total} ({name})", markup=False, highlight=False, style="bold"
        )
        self._begin("starting")

    def stage(self, name: str) -> None:
        """A new bar; the stage before it becomes a line."""
        self._end()
        self._begin(name)

    def notice(self, text: str) -> None:
        """A line above the bar, unless it was told before."""
        if text not in self._heard:
            self._heard.add(text)
            self._console.print(text, markup=False, highlight=False, style="yellow")

    def line(self, text: str) -> None:
        """A line above the bar."""
        self._console.print(f"  {text}", markup=False, highlight=False, style="dim")

    def advance(self, done: int, total: int, what: str) -> None:
        """Moves the bar."""
        if self._task is None:
            return
        seconds = self._pace.left(done, total, self._clock())
        count, left = f"{done}/{total}", "" if seconds is None else f"{_clock_time(seconds)} left"
        room = _room(self._console.width, self._name, count, left)
        self._progress.update(
            self._task,
            completed=done,
            total=total,
            count=count,
            left=left,
            what=what[:room].rstrip(", "),
        )

    def redraw(self) -> None:
        """Draws now, not at the next tick."""
        self._progress.refresh()

    def _begin(self, name: str) -> None:
        self._name = name
        self._began = self._clock()
        self._pace = Pace()
        self._task = self._progress.add_task(name, total=None, count="", left="", what="")

    def _end(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        if self._name not in {"", "starting"}:
            seconds = self._clock() - self._began
            self._console.print(f"  {self._name:<11} {seconds:6.1f} s", highlight=False)


def _columns(width: int) -> list[ProgressColumn]:
    """What fits side by side."""
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

    return [
        SpinnerColumn(),
        TextColumn("{task.description}"),
        *([BarColumn(_bar(width))] if _bar(width) else []),
        TextColumn("{task.fields[count]}"),
        *([TimeElapsedColumn()] if width >= WIDE else []),
        TextColumn("{task.fields[left]}"),
        TextColumn("[dim]{task.fields[what]}"),
    ]


def _bar(width: int) -> int:
    return 24 if width >= WIDE else 10 if width >= MIDDLING else 0


def _room(width: int, name: str, count: str, left: str) -> int:
    """Columns that are left for what is told last; the figures before it are never cut."""
    taken = ["*", name, *(["=" * _bar(width)] if _bar(width) else []), count, left]
    taken += ["0:00:00"] if width >= WIDE else []
    return max(0, width - sum(len(part) + 1 for part in taken))


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
