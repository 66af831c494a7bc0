"""What is made again at which cut of the leak certificate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.leakage.cutoffs import Cutoff
    from engine.splits.walk_forward import WalkForwardWindow

KnownPrice: TypeAlias = Literal["open", "close"]
"""How much of a cut's own bar is kept where fills are probed: all up to its close, or its open."""

N_FULL_SIMULATIONS = 2
"""Cuts at which every book is filled again; at the others one that turns at every bar is."""

MIN_WINDOWS_FOR_TWO_REFITS = 8
"""Windows below which one of them is fitted again, not `N_FULL_SIMULATIONS`: one of
`MIN_WINDOWS_FOR_TWO_REFITS` is an eighth."""


@dataclass(frozen=True)
class ProbePlan:
    """Cuts and the windows they fall into.

    Attributes:
        cutoffs: In time order.
        windows: Of the run.
        fill_price: Of a bar, that orders are filled at.
    """

    cutoffs: Sequence[Cutoff]
    windows: Sequence[WalkForwardWindow]
    fill_price: KnownPrice = "open"

    def window_of(self, index: int) -> WalkForwardWindow | None:
        """The window whose test part has the cut's bar; None before the first."""
        row = self.cutoffs[index].row
        return next((window for window in self.windows if row in window.test), None)

    def straddling_window(self, index: int) -> WalkForwardWindow | None:
        """The window that has test rows on either side of the cut."""
        window = self.window_of(index)
        whole = window is None or self.cutoffs[index].row == window.test.stop - 1
        return None if whole else window

    def windows_to_rebuild(self, index: int) -> list[WalkForwardWindow]:
        """Windows to rebuild: those over since the cut before, and the one that is not over yet.

        One that begins with the next bar is among them: all it learns from is known.
        """
        row = self.cutoffs[index].row
        before = self.cutoffs[index - 1].row if index else -1
        return [
            window
            for window in self.windows
            if before < window.test.stop - 1 <= row
            or window.test.start - 1 <= row < window.test.stop - 1
        ]

    @cached_property
    def full_simulations(self) -> tuple[int, ...]:
        """Places of a cut behind a window's first bar, and of one deeper inside another."""
        tested = [place for place in range(len(self.cutoffs)) if self.window_of(place)]
        inside = [place for place in tested if self.straddling_window(place)] or tested
        starts = [place for place in inside if self.cutoffs[place].kind == "window start"][:1]
        others = [place for place in inside if place not in starts]
        deep = [place for place in others if self.cutoffs[place].kind != "window start"] or others
        middle = max(0, (len(deep) - 1) // 2)
        return tuple(sorted([*starts, *deep[middle:]][:N_FULL_SIMULATIONS]))

    @cached_property
    def refits(self) -> tuple[int, ...]:
        """Indices of the `full_simulations` cutoffs whose straddling window is fitted again.

        Behind a first bar all but one of the window's test rows are other ones, so that is the
        one to keep where one has to do.
        """
        split = [place for place in self.full_simulations if self.straddling_window(place)]
        starts = [place for place in split if self.cutoffs[place].kind == "window start"]
        return tuple(
            split if len(self.windows) >= MIN_WINDOWS_FOR_TWO_REFITS else (starts or split)[:1]
        )

    def price_known(self, index: int) -> KnownPrice:
        """How much of the cut's own bar is kept where its fills are probed.

        All of it where they are at the close. At the open by turns, and at the `full_simulations`
        cuts by turns as well, so that every book meets both.
        """
        if self.fill_price == "close":
            return "close"
        turn = self.full_simulations.index(index) if index in self.full_simulations else index
        return "open" if turn % 2 else "close"
