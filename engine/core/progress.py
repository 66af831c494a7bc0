"""The interface through which stages report progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Progress of a run; the command line shows it, a script may ignore it."""

    def stage(self, name: str) -> None:
        """A stage begins.

        One of `data`, `features`, `refits`, `simulation`, `certificate`, `paths`, `evaluation`,
        `report`.
        """

    def notice(self, text: str) -> None:
        """One sentence that the user must know."""

    def line(self, text: str) -> None:
        """A line about a finished step of a slow stage; it is shown and not recorded."""

    def advance(self, done: int, total: int, what: str) -> None:
        """`done` of `total` units of the current stage are finished; `what` names the last."""


class SweepProgress(Progress, Protocol):
    """Progress of a sweep, in addition to the progress of each of its runs."""

    def run(self, number: int, total: int, name: str) -> None:
        """One of several runs begins: `number`, from 1, of `total`."""


class NullProgress:
    """Reports nothing."""

    def run(self, number: int, total: int, name: str) -> None:
        """Reports nothing."""

    def stage(self, name: str) -> None:
        """Reports nothing."""

    def notice(self, text: str) -> None:
        """Reports nothing."""

    def line(self, text: str) -> None:
        """Reports nothing."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Reports nothing."""
