"""How stages tell what they are doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What a stage may tell; the command line draws it, a script may ignore it."""

    def stage(self, name: str) -> None:
        """A stage begins.

        One of `data`, `features`, `refits`, `simulation`, `certificate`, `evaluation`, `report`.
        """

    def notice(self, text: str) -> None:
        """Something the user must know: one plain sentence."""

    def line(self, text: str) -> None:
        """One of several things that take their time is done: one plain line, not for keeping."""

    def advance(self, done: int, total: int, what: str) -> None:
        """`done` of `total` units of the current stage are finished; `what` names the last."""


class SweepProgress(Progress, Protocol):
    """Progress of a sweep, beside the progress of each of its runs."""

    def run(self, number: int, total: int, name: str) -> None:
        """One of several runs begins: `number`, from 1, of `total`."""


class NullProgress:
    """Tells nobody."""

    def run(self, number: int, total: int, name: str) -> None:
        """Tells nobody."""

    def stage(self, name: str) -> None:
        """Tells nobody."""

    def notice(self, text: str) -> None:
        """Tells nobody."""

    def line(self, text: str) -> None:
        """Tells nobody."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Tells nobody."""
