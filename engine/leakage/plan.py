"""What is rebuilt at which cutoff."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.leakage.cutoffs import Cutoff
    from engine.splits.walk_forward import WalkForwardWindow

KnownPrice: TypeAlias = Literal["open", "close"]
"""What is kept of a cutoff's own bar where fills are compared: up to its close, or its open."""

N_FULL_SIMULATIONS = 2
"""Cutoffs at which every book is simulated again; at the others the alternating one is."""

MIN_WINDOWS_FOR_TWO_REFITS = 8
"""Below so many windows one is fitted again instead of `N_FULL_SIMULATIONS`."""


@dataclass(frozen=True)
class ProbePlan:
    """Cutoffs and the windows they fall into.

    Attributes:
        cutoffs: In time order.
        windows: Of the run.
        fill_price: Of a bar, that orders are filled at.
    """

    cutoffs: Sequence[Cutoff]
    windows: Sequence[WalkForwardWindow]
    fill_price: KnownPrice = "open"

    def window_of(self, index: int) -> WalkForwardWindow | None:
        """The window whose test part holds the cutoff's bar; None before the first."""
        row = self.cutoffs[index].row
        return next((window for window in self.windows if row in window.test), None)

    def straddling_window(self, index: int) -> WalkForwardWindow | None:
        """The window with test rows on both sides of the cutoff."""
        window = self.window_of(index)
        whole = window is None or self.cutoffs[index].row == window.test.stop - 1
        return None if whole else window

    def windows_to_rebuild(self, index: int) -> list[WalkForwardWindow]:
        """Windows that ended since the cutoff before, and the one that has not ended.

        A window that begins with the next bar is included: all its training data is known.
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
        """Indices of a cutoff after a window's first bar, and of one further inside another."""
        tested = [index for index in range(len(self.cutoffs)) if self.window_of(index)]
        inside = [index for index in tested if self.straddling_window(index)] or tested
        starts = [index for index in inside if self.cutoffs[index].kind == "window start"][:1]
        others = [index for index in inside if index not in starts]
        deep = [index for index in others if self.cutoffs[index].kind != "window start"] or others
        middle = max(0, (len(deep) - 1) // 2)
        return tuple(sorted([*starts, *deep[middle:]][:N_FULL_SIMULATIONS]))

    @cached_property
    def refits(self) -> tuple[int, ...]:
        """Indices of the `full_simulations` cutoffs whose straddling window is fitted again.

        After a first bar all but one of the window's test rows are replaced: where only one
        refit is made, it is that one.
        """
        split = [index for index in self.full_simulations if self.straddling_window(index)]
        starts = [index for index in split if self.cutoffs[index].kind == "window start"]
        return tuple(
            split if len(self.windows) >= MIN_WINDOWS_FOR_TWO_REFITS else (starts or split)[:1]
        )

    def price_known(self, index: int) -> KnownPrice:
        """What is kept of the cutoff's own bar where its fills are compared.

        All of it where fills are at the close. Otherwise only the open at every second cutoff, and
        at one of the `full_simulations`, so that every book is compared under both.
        """
        if self.fill_price == "close":
            return "close"
        turn = self.full_simulations.index(index) if index in self.full_simulations else index
        return "open" if turn % 2 else "close"
