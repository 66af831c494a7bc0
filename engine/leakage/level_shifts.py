"""Copies of the history below each other, in each of which other bars are altered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data import MAX_PRICE, MIN_PRICE, VALUE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector, Matrix
    from engine.data import Market

_SMALLEST_SHIFT, _LARGEST_SHIFT = float(np.log(1.15)), float(np.log(4.0))
_DIFFERENT_SHIFTS = 3
"""Sizes of shifts, so that the ratio of the prices of two symbols is seldom the same one again."""

_MINUTE_US = 60_000_000


@dataclass(frozen=True, eq=False)
class ShiftedMarket:
    """A history, or several copies of it below each other, with other bars after some cuts.

    Attributes:
        market: Its bars; those of copies stand a minute apart, which says nothing of real times.
        cuts: (c,) real rows after which a bar is another one.
        places: (c,) their rows in `market`.
    """

    market: Market
    cuts: IntVector
    places: IntVector


class LevelShifts:
    """Alters the bar after each of some cuts, and the level of all bars after that one.

    The bar after a cut has another shape, and prices and volumes that are a factor apart from
    those before. The bars that follow are the real ones times the factor, up to the next cut. So
    every later bar is another one, and a feature that does not depend on the level has its real
    values again as soon as it has forgotten the altered bar. From cut to cut the level falls and
    rises in turn; which of the two comes first is drawn for each symbol.

    Args:
        market: The bars.
        exact: Whether the factor is a power of two, at least as large as the largest move of the
            history: then a ratio of two bars at the same level keeps its bits. Otherwise it is as
            large as that move.
    """

    def __init__(self, market: Market, *, exact: bool) -> None:
        self._market = self._copies = market
        self._stamps = pd.DatetimeIndex(market.wide("close").index)
        shape = (-1, len(market.symbols), len(VALUE_COLUMNS))
        values = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64).reshape(shape)
        self._columns = np.ascontiguousarray(np.moveaxis(values, -1, 0))
        close = self._columns[3]
        moves = np.abs(np.diff(np.log(close), axis=0)).max(axis=0, initial=0.0)
        size = np.clip(1.2 * moves, _SMALLEST_SHIFT, _LARGEST_SHIFT)
        further = np.arange(len(size)) % _DIFFERENT_SHIFTS
        if exact:
            doublings = np.ceil(size / np.log(2.0)) + further
            self._size, self._factor = doublings * np.log(2.0), 2.0**doublings
        else:
            self._size = size * (1.0 + further / (_DIFFERENT_SHIFTS + 1))
            self._factor = np.exp(self._size)
        self._has_idle_bars = bool((self._columns[4] == 0.0).any())

    @property
    def is_possible(self) -> bool:
        """Whether the shifted prices are within the bounds of prices, with room to move."""
        prices, room = self._columns[:4], float(self._factor.max()) ** 2
        lowest, highest = np.nanmin(prices), np.nanmax(prices)
        return bool(lowest >= MIN_PRICE * room and highest <= MAX_PRICE / room)

    def alter(self, cut_sets: Sequence[IntVector], rng: np.random.Generator) -> ShiftedMarket:
        """One copy of the history for each set of cuts; a minute apart.

        Args:
            cut_sets: Each ascending rows with a bar after each.
            rng: Decides every draw.
        """
        count = self._columns.shape[1]
        columns = np.empty((len(VALUE_COLUMNS), len(cut_sets), *self._columns.shape[1:]))
        for number, cuts in enumerate(cut_sets):
            self._alter_copy(columns[:, number], cuts, rng)
        minutes = np.arange(count * len(cut_sets)) * _MINUTE_US
        stamps = pd.DatetimeIndex(minutes.astype("datetime64[us]"), name="timestamp", tz="UTC")
        # The last one often has as many rows, and with them the symbol of each.
        self._copies = self._copies.at_times(stamps, columns.reshape(len(VALUE_COLUMNS), -1))
        return ShiftedMarket(
            self._copies,
            np.concatenate(cut_sets),
            np.concatenate([number * count + cuts for number, cuts in enumerate(cut_sets)]),
        )

    def alter_in_place(self, cuts: IntVector, rng: np.random.Generator) -> ShiftedMarket:
        """The history at its own times with other bars after some cuts.

        Args:
            cuts: Ascending rows with a bar after each.
            rng: Decides every draw.
        """
        columns = np.empty_like(self._columns)
        self._alter_copy(columns, cuts, rng)
        market = self._market.at_times(self._stamps, columns.reshape(len(VALUE_COLUMNS), -1))
        return ShiftedMarket(market, cuts, cuts)

    def _alter_copy(self, copy: Matrix, cuts: IntVector, rng: np.random.Generator) -> None:
        """Writes (5, n, symbols) the history after whose cuts the level is another one."""
        at = cuts + 1
        begun = np.zeros(copy.shape[1], dtype=np.int64)
        begun[at] = 1
        turned = np.cumsum(begun) % 2 == 1
        side = rng.random(copy.shape[2]) < 0.5
        factor = np.where(side, 1.0 / self._factor, self._factor)
        np.multiply(self._columns, np.where(turned[:, None], factor, 1.0), out=copy)
        copy[:, at] = self._reshape(copy[:, at], rng)

    def _reshape(self, bars: Matrix, rng: np.random.Generator) -> Matrix:
        """(5, c, symbols) bars with other opens, ranges, closes and volumes."""
        shape = bars.shape[1:]

        def move(low: float, high: float) -> Matrix:
            return np.asarray(_signs(shape, rng) * self._size * rng.uniform(low, high, shape))

        opened, close = bars[0] * np.exp(move(0.1, 0.3)), bars[3] * np.exp(move(0.1, 0.3))
        high = np.maximum(opened, close) * np.exp(np.abs(move(0.05, 0.2)))
        low = np.minimum(opened, close) * np.exp(-np.abs(move(0.05, 0.2)))
        volume = np.where(bars[4] == 0.0, 1.0, bars[4])
        volume = volume * np.exp(_signs(shape, rng) * rng.uniform(1.0, 2.0, shape))
        if self._has_idle_bars:
            volume = np.where((rng.random(shape) < 0.5) & (bars[4] != 0.0), 0.0 * volume, volume)
        return np.stack([opened, high, low, close, volume])


def _signs(shape: tuple[int, ...], rng: np.random.Generator) -> Matrix:
    return np.where(rng.random(shape) < 0.5, -1.0, 1.0)
