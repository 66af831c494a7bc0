"""What is made again at which cut of the leak certificate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.evaluation.cuts import Cut
    from engine.windows.walk_forward import Window

Known: TypeAlias = Literal["open", "close"]
"""How much of a cut's own bar is kept where fills are probed: all up to its close, or its open."""

FULL = 2
"""Cuts at which every book is filled again; at the others one that turns at every bar is."""

FEW = 8
"""Windows below which one of them is fitted again, not `FULL`: one of `FEW` is an eighth."""


@dataclass(frozen=True)
class Schedule:
    """Cuts and the windows they fall into.

    Attributes:
        cuts: In time order.
        windows: Of the run.
        price: Of a bar, that orders are filled at.
    """

    cuts: Sequence[Cut]
    windows: Sequence[Window]
    price: Known = "open"

    def tested(self, place: int) -> Window | None:
        """The window whose test part has the cut's bar; None before the first."""
        row = self.cuts[place].row
        return next((window for window in self.windows if row in window.test), None)

    def split(self, place: int) -> Window | None:
        """The window that has test rows on either side of the cut."""
        window = self.tested(place)
        whole = window is None or self.cuts[place].row == window.test.stop - 1
        return None if whole else window

    def due(self, place: int) -> list[Window]:
        """Windows to rebuild: those over since the cut before, and the one that is not over yet.

        One that begins with the next bar is among them: all it learns from is known.
        """
        row = self.cuts[place].row
        before = self.cuts[place - 1].row if place else -1
        return [
            window
            for window in self.windows
            if before < window.test.stop - 1 <= row
            or window.test.start - 1 <= row < window.test.stop - 1
        ]

    @cached_property
    def full(self) -> tuple[int, ...]:
        """Places of a cut behind a window's first bar, and of one deeper inside another."""
        tested = [place for place in range(len(self.cuts)) if self.tested(place)]
        inside = [place for place in tested if self.split(place)] or tested
        starts = [place for place in inside if self.cuts[place].kind == "window start"][:1]
        others = [place for place in inside if place not in starts]
        deep = [place for place in others if self.cuts[place].kind != "window start"] or others
        middle = max(0, (len(deep) - 1) // 2)
        return tuple(sorted([*starts, *deep[middle:]][:FULL]))

    @cached_property
    def fitted(self) -> tuple[int, ...]:
        """Places of the `full` cuts at which the window that holds them is fitted again.

        Behind a first bar all but one of the window's test rows are other ones, so that is the
        one to keep where one has to do.
        """
        split = [place for place in self.full if self.split(place)]
        starts = [place for place in split if self.cuts[place].kind == "window start"]
        return tuple(split if len(self.windows) >= FEW else (starts or split)[:1])

    def known(self, place: int) -> Known:
        """How much of the cut's own bar is kept where its fills are probed.

        All of it where they are at the close. At the open by turns, and at the `full` cuts by
        turns as well, so that every book meets both.
        """
        if self.price == "close":
            return "close"
        turn = self.full.index(place) if place in self.full else place
        return "open" if turn % 2 else "close"
