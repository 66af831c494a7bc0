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

RefitFuture: TypeAlias = Literal["fall", "rally", "ordinary"]
"""What follows a cutoff where a fit is made again."""

N_REFIT_DRAWS = 8
"""Futures for each of which a user's model is fitted again. A choice of two that depends on test
rows comes out alike on one of them half of the time, and on all of them in 0.4 % of runs."""

N_REFIT_WINDOWS = 2
"""Windows that these futures are spread over, so that few fits of the run have to be repeated
where another machine rounds differently."""


@dataclass(frozen=True)
class RefitDraw:
    """A future before which a window is fitted again.

    Attributes:
        cutoff: Index of the cutoff after which bars are replaced.
        number: Of the draw, from 0.
        scenario: What follows.
    """

    cutoff: int
    number: int
    scenario: RefitFuture


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

    def window_to_refit(self, index: int) -> WalkForwardWindow | None:
        """The window of whose test rows a cutoff replaces some or all, and its fit none.

        The one that begins with the next bar, or the one with test rows on both sides.
        """
        row = self.cutoffs[index].row
        return next(
            (w for w in self.windows if w.test.start - 1 <= row < w.test.stop - 1),
            None,
        )

    def windows_to_rebuild(self, index: int) -> list[WalkForwardWindow]:
        """Windows whose test part a cutoff cuts, ends with, or stands before.

        Of a window that ended earlier nothing that is replaced is read: its arrays are built from
        a history without its test part, and its models predict again, at every window.
        """
        row = self.cutoffs[index].row
        return [
            window
            for window in self.windows
            if window.test.start - 1 <= row <= window.test.stop - 1
        ]

    @cached_property
    def refit_draws(self) -> tuple[RefitDraw, ...]:
        """`N_REFIT_DRAWS` futures after cutoffs that keep one test row of a window at most.

        Half of them fall or rally at once, so that a mean or an error over the test rows is one
        way in one and the other way in the next; the others are like the history.
        """
        begun = [index for index in range(len(self.cutoffs)) if self._begins_window(index)]
        chosen = begun[:: max(1, len(begun) // N_REFIT_WINDOWS)][:N_REFIT_WINDOWS]
        pairs: tuple[tuple[RefitFuture, RefitFuture], ...] = (
            ("fall", "rally"),
            ("ordinary", "ordinary"),
        )
        draws: list[RefitDraw] = []
        while chosen and len(draws) < N_REFIT_DRAWS:
            turn = len(draws) // 2
            cutoff = chosen[turn % len(chosen)]
            for scenario in pairs[turn // len(chosen) % 2]:
                draws.append(RefitDraw(cutoff, len(draws), scenario))
        return tuple(draws)

    def _begins_window(self, index: int) -> bool:
        window = self.window_to_refit(index)
        return window is not None and self.cutoffs[index].row <= window.test.start

    @property
    def price_known(self) -> KnownPrice:
        """What is kept of a cutoff's own bar where its fills are compared.

        All of it where fills are at the close, otherwise only what is known when that bar opens.
        """
        return self.fill_price

    def windows_begun(self, index: int) -> list[WalkForwardWindow]:
        """Windows whose test part began since the cutoff before.

        What one that began earlier was decided with was compared there, where the bars that this
        cutoff replaces were replaced too.
        """
        row = self.cutoffs[index].row
        before = self.cutoffs[index - 1].row if index else -1
        return [window for window in self.windows if before < window.test.start <= row]
