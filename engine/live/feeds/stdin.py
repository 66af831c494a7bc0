"""Bars that come as lines of JSON on standard input."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

import pandas as pd

from engine.core import limits
from engine.core.errors import InvalidBarsError
from engine.live.feeds.bar_line import bad_line_error, parse_bar_line
from engine.live.feeds.kept_bars import KeptBars
from engine.live.feeds.line_rules import LineRules
from engine.live.feeds.notices import NoticeOnce

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.live.feeds.config import StdinFeedSpec
    from engine.live.feeds.context import FeedContext
    from engine.live.feeds.kept_bars import BarValues

_READ_BYTES = 1 << 16
_TOLD_LINES = 10
"""Lines left out that are told one by one; of the others their number, at each power of ten."""

_MINUTE = "%Y-%m-%d %H:%M"

_MAX_CLOCK_ERROR = pd.Timedelta(minutes=5)
"""By how much the clock of the program that sends bars may be ahead of ours."""


class LineSplitter:
    """Splits bytes that arrive in parts into lines, and keeps no more of one than the bound."""

    def __init__(self) -> None:
        self._rest = b""

    def add(self, part: bytes) -> list[bytes]:
        """The lines that a part completes; of one that is too long its beginning."""
        *lines, rest = (self._rest + part).split(b"\n")
        self._rest = rest[: limits.MAX_FEED_LINE_BYTES + 1]
        return lines

    def end(self) -> list[bytes]:
        """A last line without a line break."""
        return [self._rest] if self._rest else []


class StdinFeed:
    """Complete bars as lines of JSON, in any order of symbols; a later line corrects an earlier.

    A bar that ends within five minutes from now is held until then, because the clock of another
    machine may be ahead. Nothing is read in the background.

    Args:
        spec: What becomes of a bad line.
        context: Dataset and clock.
        descriptor: The input.
    """

    def __init__(self, spec: StdinFeedSpec, context: FeedContext, descriptor: int = 0) -> None:
        self._spec = spec
        self._context = context
        self._descriptor = descriptor
        self._notices = NoticeOnce(context.progress)
        self._kept = KeptBars(context.dataset.symbols, self._notices)
        self._held: dict[tuple[str, pd.Timestamp], BarValues] = {}
        self._splitter = LineSplitter()
        self._unchecked: dict[str, dict[pd.Timestamp, BarValues]] = {}
        self._rules = LineRules(context.dataset)
        self._known = pd.Timestamp(0, tz="UTC")
        self._error: InvalidBarsError | None = None
        self._number = 0
        self._left_out = 0
        self._is_full = False
        self._was_fetched = True
        self._has_ended = False

    @property
    def is_exhausted(self) -> bool:
        """Whether the input has ended, and no bar is held until its end."""
        return self._has_ended and not self._held

    def wait(self, timeout_s: float) -> None:
        """Waits for input, for the end of a bar that is held, or for the time-out.

        Without a `fetch` since the last wait it lasts, whatever there is to read: nobody takes it.
        """
        clock = self._context.clock
        if self._held:
            first = min(self._end(*key) for key in self._held)
            timeout_s = max(0.0, min(timeout_s, (first - clock.now()).total_seconds()))
        was_fetched, self._was_fetched = self._was_fetched, False
        if not was_fetched or (self._has_ended and self._error is None):
            clock.sleep_until(clock.now() + pd.Timedelta(seconds=timeout_s))
        elif not self._is_full and self._error is None:
            self._is_readable(timeout_s)

    def fetch(self, after: pd.Timestamp) -> BarsFrame:
        """As of every feed.

        Raises:
            InvalidBarsError: A line is no bar, or one that breaks a quality rule, and `on_error`
                is `stop`: the bars of the lines before it were handed out, and the input is not
                read further.
        """
        self._was_fetched, self._known = True, after
        self._release()
        if self._error is not None:
            self._has_ended = True
            raise self._error
        self._is_full = self._kept.count_complete(after) >= limits.MAX_WAITING_BARS
        if not self._is_full:
            self._read_lines()
        for symbol in sorted(self._unchecked):
            self._keep(symbol, list(self._unchecked.pop(symbol).items()))
        return self._kept.later_than(after)

    def close(self) -> None:
        """The input belongs to who started the process."""

    def _is_readable(self, timeout_s: float) -> bool:
        return bool(select.select([self._descriptor], [], [], timeout_s)[0])

    def _read_lines(self) -> None:
        """Takes what is there to read, of very much a part: the pipe holds back the rest."""
        last = self._number + limits.MAX_WAITING_BARS
        while self._number < last and self._may_read():
            part = os.read(self._descriptor, _READ_BYTES)
            self._has_ended = not part
            for line in self._splitter.add(part) if part else self._splitter.end():
                if self._error is None:
                    self._take_or_leave_out(line)
        if self._has_ended and self._left_out > _TOLD_LINES:
            self._context.progress.notice(f"standard input: {self._left_out:,} lines left out")

    def _may_read(self) -> bool:
        return not self._has_ended and self._error is None and self._is_readable(0.0)

    def _take_or_leave_out(self, line: bytes) -> None:
        self._number += 1
        try:
            self._take(line)
        except InvalidBarsError as error:
            self._leave_out(error)

    def _take(self, line: bytes) -> None:
        """Takes the bar of a line, or holds it until it has ended.

        Raises:
            InvalidBarsError: The line is no bar, or one of the future.
        """
        number, symbols = self._number, self._context.dataset.symbols
        symbol, stamp, values = parse_bar_line(line, number, symbols)
        now = self._context.clock.now()
        ends = self._end(symbol, stamp)
        ahead = ends - now
        if ahead > _MAX_CLOCK_ERROR:
            raise bad_line_error(
                number,
                "a bar that has ended",
                f"timestamp {stamp:{_MINUTE}} of a bar that ends at {ends:{_MINUTE}} "
                f"UTC; now it is {now:%Y-%m-%d %H:%M:%S}",
                "send a bar when it is complete; check both clocks and the offset from UTC",
            )
        self._rules.require(number, symbol, stamp, values, self._known)
        if ahead > pd.Timedelta(0):
            self._held[symbol, stamp] = values
        else:
            self._held.pop((symbol, stamp), None)
            self._unchecked.setdefault(symbol, {})[stamp] = values

    def _keep(self, symbol: str, bars: list[tuple[pd.Timestamp, BarValues]]) -> None:
        """Keeps bars that the quality rules let pass; of others halves, down to the bad one."""
        try:
            self._context.keep_valid(
                symbol, dict(bars), self._kept, self._notices, "standard input"
            )
        except InvalidBarsError as error:
            if len(bars) == 1:
                self._leave_out(error)
                return
            self._keep(symbol, bars[: len(bars) // 2])
            if self._error is None:
                self._keep(symbol, bars[len(bars) // 2 :])

    def _release(self) -> None:
        """Takes the bars that were held until now."""
        now = self._context.clock.now()
        for symbol, stamp in [key for key in self._held if self._end(*key) <= now]:
            self._unchecked.setdefault(symbol, {})[stamp] = self._held.pop((symbol, stamp))

    def _leave_out(self, error: InvalidBarsError) -> None:
        """Tells a bad line that is left out, or keeps its error where bad lines end the run."""
        if self._spec.on_error == "stop":
            self._error = error
            return
        self._left_out += 1
        if self._left_out <= _TOLD_LINES:
            expected = f"expected {error.expected}, " if error.expected else ""
            self._notices.notice(f"{error.problem}, left out: {expected}found {error.found}")
        elif str(self._left_out).rstrip("0") == "1":
            self._context.progress.notice(f"standard input: {self._left_out:,} lines left out")

    def _end(self, symbol: str, stamp: pd.Timestamp) -> pd.Timestamp:
        return self._context.dataset.of_symbol(symbol).bar_times.close(stamp)
