"""The strategy as if it wanted in or out at every bar, so that every bar shows how it is done.

A strategy enters on few of its bars. What the size of an entry knows, or the fill of an order,
shows only at a cut that happens to have one; a strategy that trades ten times a year would hide it
from nearly every cut. So it is decided and filled once more, with forecasts that turn at every
bar and with decisions that do.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.pipeline.books import decided_by, trade
from engine.pipeline.twice import position_parts
from engine.refit.plan import STRATEGY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.evaluation.certificate import Part
    from engine.pipeline.ground import Ground
    from engine.pipeline.made import Made
    from engine.refit.stitch import Predictions
    from engine.simulation.result import Result
    from engine.types import WideFrame

BOOK = f"{STRATEGY} turning at every bar,"
"""What it is called where something is found."""

_CERTAIN = 1.0
"""A return of 100 %, or of -100 %: beyond any threshold."""

_SMALL = 1e-3
"""Of the equity: costs of a turn at every bar of many years leave something to trade with."""


class Restless:
    """A run's strategy that turns at every bar, on its own bars and on others.

    Args:
        made: The run.
    """

    def __init__(self, made: Made) -> None:
        self._made = made
        self._decided: dict[int, WideFrame] = {}

    def position_parts(self, other: Ground, last: int) -> Iterator[Part]:
        """Weights up to row `last` of the span, which enters, on either ground.

        The forecasts are the same throughout: sizes and exits may depend on earlier closes alone.
        """
        spec, turn = self._made.spec, last % 2
        predictions = self._predictions(turn)
        if turn not in self._decided:
            self._decided[turn] = decided_by(spec, self._made.ground, predictions)
        yield from position_parts(
            {BOOK: self._decided[turn]},
            {BOOK: decided_by(spec, other, predictions)},
            self._made.ground.span[: last + 1],
        )

    def _predictions(self, turn: int) -> Predictions:
        """The strategy's own, but up on every second row from `turn` on and down on the others."""
        own = self._made.predictions[STRATEGY]
        outlook, made = own.outlooks[own.horizon], own.predicted
        up = (np.arange(len(made)) % 2 == turn)[:, None]
        values = np.where(made.isna(), np.nan, np.where(up, _CERTAIN, -_CERTAIN))
        turning = pd.DataFrame(values, index=made.index, columns=made.columns)
        replaced = replace(outlook, predicted=turning)
        return replace(own, outlooks={**own.outlooks, own.horizon: replaced})

    @cached_property
    def weights(self) -> WideFrame:
        """Decisions that turn at every bar: long and short by turns."""
        own = self._made.weights[STRATEGY]
        side = np.where(np.arange(len(own)) % 2 == 0, _SMALL, -_SMALL)
        return pd.DataFrame(dict.fromkeys(own, side), index=own.index)

    @cached_property
    def book(self) -> Result:
        """What they come to on the real bars."""
        return trade(self._made.spec, self._made.ground, {BOOK: self.weights})[BOOK]
