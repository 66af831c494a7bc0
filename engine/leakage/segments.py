"""The real bars with short segments of other ones: one build of features probes many cuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data import MAX_PRICE, MIN_PRICE, VALUE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix
    from engine.data import Market

SEGMENT_BARS = 2
"""Bars after a cut that are other ones, or left out, before the real bars continue."""

_FALLBACK_MOVE = 0.01
_LARGEST_MOVE = float(np.log(10.0))
"""Of one altered bar: a move by orders of magnitude stays in exponential means for long."""


@dataclass(frozen=True, eq=False)
class AlteredMarket:
    """A market with other bars after some cuts.

    Attributes:
        market: Its bars.
        rows: (m,) the real row of each of its bars.
        altered: (m,) whether the bar is another one than the real one of its row.
        cuts: (k,) real rows of the cuts, ascending.
    """

    market: Market
    rows: IntVector
    altered: npt.NDArray[np.bool_]
    cuts: IntVector

    def distances(self) -> IntVector:
        """(m,) real bars since the last segment: 1 for the first; m before the first segment.

        A bar after one that was left out is the first.
        """
        count = len(self.rows)
        begins = self.altered | (np.diff(self.rows, prepend=-1) > 1)
        place = np.arange(count)
        last = np.maximum.accumulate(np.where(begins, place, -count))
        after_gap = begins & ~self.altered
        offset = np.where(last >= 0, after_gap[np.maximum(last, 0)], 0)
        return np.minimum(place - last + offset, count)


class SegmentAlteration:
    """Replaces the few bars after each of many cuts.

    The bars after a cut move, for each symbol, up or down by 1.2 to 2 times the largest move of
    its history, with other volumes. Where bars are unevenly spaced in time, some are left out
    instead, so that the time until the next bar is another one; where the market has bars without
    volume, some of the altered ones have none.

    Args:
        market: The real bars.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._shape = (-1, len(market.symbols), len(VALUE_COLUMNS))
        self._values = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)
        values = self._values.reshape(self._shape)
        moves = np.abs(np.diff(np.log(values[:, :, 3]), axis=0)).max(axis=0, initial=0.0)
        self._moves = np.clip(np.where(moves > 0.0, moves, _FALLBACK_MOVE), 0.0, _LARGEST_MOVE)
        self._has_idle_bars = bool((values[:, :, 4] == 0.0).any())
        steps = np.diff(pd.DatetimeIndex(market.bars["timestamp"]).asi8[:: len(market.symbols)])
        self._is_uneven = len(steps) > 0 and bool((steps != steps[0]).any())

    def alter(
        self,
        cuts: Sequence[int] | IntVector,
        rng: np.random.Generator,
        length: int = SEGMENT_BARS,
    ) -> AlteredMarket:
        """Other bars after each cut, and then the real ones again.

        Args:
            cuts: Ascending rows, at least `length` apart, each with a bar after it.
            rng: Decides every draw.
            length: Bars of a segment.
        """
        at = np.asarray(cuts, dtype=np.int64)
        values = self._values.reshape(self._shape).copy()
        count = len(values)
        turns = rng.permutation(len(at)) % 3
        missing = (turns == 2) & self._is_uneven
        idle = (turns == 1) & self._has_idle_bars & (rng.random(len(at)) < 0.5)
        altered, left_out = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        before = values[at]
        for step in range(1, length + 1):
            rows = at + step
            there = rows < count
            bars = self._draw(before, rng, shrink=0.4 ** (step - 1))
            bars[idle, :, 4] *= 0.0  # NaN stays: the source has no volume
            before = bars
            values[rows[there]] = bars[there]
            altered[rows[there]] = True
            gone = there & missing & (step <= SEGMENT_BARS)
            gone &= (step == 1) | (rng.random(len(at)) < 0.5)
            gone &= rows < count - 1  # a segment that ends the history is altered
            left_out[rows[gone]] = True
        kept = np.flatnonzero(~left_out)
        return AlteredMarket(
            self._market.with_values(values[kept].reshape(-1, len(VALUE_COLUMNS)), kept),
            kept,
            altered[kept],
            at,
        )

    def restore_before(self, made: AlteredMarket, cut: int) -> Market:
        """The real bars up to a cut, the altered ones after it."""
        values = made.market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)
        late = np.flatnonzero(made.rows > cut)
        real = self._values.reshape(self._shape)[: cut + 1]
        joined = np.concatenate([real, values.reshape(self._shape)[late]])
        rows = np.concatenate([np.arange(cut + 1), made.rows[late]])
        return self._market.with_values(joined.reshape(-1, len(VALUE_COLUMNS)), rows)

    def _draw(self, before: Matrix, rng: np.random.Generator, *, shrink: float) -> Matrix:
        """(k, symbols, 5) the bars after `before`, which move away from it."""
        shape = before.shape[:2]
        sign = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
        move = shrink * sign * self._moves * rng.uniform(1.2, 2.0, shape)
        start = before[:, :, 3]
        opened = start * np.exp(move * rng.uniform(0.3, 0.7, shape))
        close = start * np.exp(move)
        room = np.abs(move) * rng.uniform(0.05, 0.3, (2, *shape))
        high = np.maximum(opened, close) * np.exp(room[0])
        low = np.minimum(opened, close) * np.exp(-room[1])
        factor = np.exp(
            np.where(rng.random(shape) < 0.5, -1.0, 1.0) * rng.uniform(1.0, 2.0, shape)
        )
        volume = np.where(before[:, :, 4] > 0.0, before[:, :, 4], self._typical_volume()) * factor
        prices = np.clip(np.stack([opened, high, low, close], axis=-1), MIN_PRICE, MAX_PRICE)
        prices[np.isnan(before[:, :, :4])] = np.nan  # of symbols with closes alone
        return np.concatenate([prices, volume[:, :, None]], axis=-1)

    def _typical_volume(self) -> Matrix:
        """(symbols,) mean volume of the bars that have one; 1 where none does, NaN without any."""
        volume = self._values.reshape(self._shape)[:, :, 4]
        traded = np.where(volume > 0.0, volume, 0.0)
        mean = traded.sum(axis=0) / np.maximum(1, (traded > 0.0).sum(axis=0))
        return np.where(np.isnan(volume).all(axis=0), np.nan, np.where(mean > 0.0, mean, 1.0))
