"""Notices of a feed, each told once: a feed asks the same thing for years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.control_characters import escape_line

if TYPE_CHECKING:
    from engine.core.progress import Progress
    from engine.data.quality.gate import QualityLog

_REMEMBERED = 1_000
"""Notices that are remembered; after so many others one is told again."""


class NoticeOnce:
    """Progress of requests that a feed repeats: a notice is told once, and no progress is shown.

    Args:
        progress: Receives the notices.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._told: dict[str, None] = {}

    def stage(self, name: str) -> None:
        """Shows nothing."""

    def line(self, text: str) -> None:
        """Shows nothing."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Shows nothing."""

    def notice(self, text: str) -> None:
        """Tells a text that was not told before."""
        self.notice_about(text, text)

    def notice_about(self, subject: str, text: str) -> None:
        """Tells a text unless one about the same subject was told before."""
        if subject in self._told:
            return
        self._told[subject] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        self._progress.notice(escape_line(text))

    def notice_findings(self, symbol: str, log: QualityLog) -> None:
        """Tells the first warning of each rule about a symbol, and each repair."""
        for checked in log.for_symbol(symbol):
            for finding in checked.warnings:
                self.notice_about(
                    f"{finding.rule} {symbol}", f"{finding.rule}: {symbol} {finding.sentence}"
                )
            for repair in checked.repairs:
                self.notice_about(
                    f"{repair.rule} {symbol} {repair.last}",
                    f"repaired {repair.rule}: {symbol} {repair.sentence}",
                )

    def forget(self, subject: str) -> bool:
        """Lets the next notice about a subject be told; whether one had been told."""
        return self._told.pop(subject, self) is None
