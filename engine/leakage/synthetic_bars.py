"""Synthetic bars that replace all bars after a cutoff."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from engine.data import MAX_PRICE, MIN_PRICE, VALUE_COLUMNS
from engine.leakage.altered_universe import alter_members, alter_presence, hide_bars

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Matrix, Vector
    from engine.data import Market

_NOISE_SCALE = 0.1
"""Noise on every log return, in standard deviations, so that no replaced bar equals another."""

_FALLBACK_VOLATILITY = 0.01
"""Standard deviation of the log returns of a market that never moved."""


class SyntheticFuture:
    """The real market up to a cutoff, a synthetic one after it.

    Of a panel the listings, halts and delistings after it are other ones too, and the members.

    After the cutoff each symbol continues from its own close with log returns drawn from its
    history, less their mean and with the sign turned, so that no trend recurs; gaps,
    ranges and volumes are drawn likewise. Noise of a tenth of a standard deviation is added.

    Args:
        market: With two bars or more.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self._real, market = market, market.carried
        rows = market.bars.groupby("symbol", sort=False).indices
        self._symbol_rows = [rows[symbol] for symbol in market.symbols]
        self._values: Matrix = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)
        self._traded: npt.NDArray[np.bool_] = market.traded.to_numpy()
        self._histories = [_BarHistory.of_bars(self._values[rows]) for rows in self._symbol_rows]

    @property
    def inactive_bars(self) -> npt.NDArray[np.bool_]:
        """(n,) bars at which some symbol had no volume, or a close that did not move."""
        still: list[npt.NDArray[np.bool_]] = []
        for index in self._symbol_rows:
            close, volume = self._values[index, 3], self._values[index, 4]
            still.append((volume == 0.0) | (np.diff(close, prepend=np.nan) == 0.0))
        quiet: npt.NDArray[np.bool_] = np.any(still, axis=0)
        return quiet

    def replace_after(
        self,
        row: int,
        rng: np.random.Generator,
        *,
        keep_open: bool = False,
        price_factor: float = 1.0,
        open_factor: float | None = None,
        volume_factor: float = 1.0,
    ) -> Market:
        """The market with every bar after `row` replaced, of every symbol.

        Args:
            row: Position of the last bar that is kept, 1 or later.
            rng: Decides every draw.
            keep_open: Replaces the bar at `row` too, all of it but what is known when that bar
                begins: its open, and that nothing trades, where nothing does. It falls from there
                if the real one rose, and rises if not. A symbol with closes alone moves from the
                close before.
            price_factor: Factor on the replaced prices from the first replaced close on: a fall or
                a rally within one bar.
            open_factor: Factor on the first replaced open; None is the square root of
                `price_factor`, half of the move. Without effect where that open is kept.
            volume_factor: Factor on the replaced volumes.

        Returns:
            Valid bars: prices from `MIN_PRICE` to `MAX_PRICE`, open and close within low and high;
            each replaced value differs from the one it replaces, and each replaced volume is above
            0; NaN where a symbol has no such column. The provenance is still that of the real
            bars.
        """
        kept = row if keep_open else row + 1
        gap = sqrt(price_factor) if open_factor is None else open_factor
        first_open = 1.0 if keep_open else gap
        values = self._values.copy()
        for number, index in enumerate(self._symbol_rows):
            later = _draw_distinct_bars(self._histories[number], kept, rng, keep_open=keep_open)
            later[:, 4] *= volume_factor
            _move_level(later, price_factor, first_open)
            later[:, :4] = np.clip(later[:, :4], MIN_PRICE, MAX_PRICE)
            values[index[kept:]] = later
            if keep_open and not self._traded[row, number]:
                values[index[row], 4] = 0.0
        altered = (
            self._alter_universe(values, row, kept, rng)
            if self._real.is_panel
            else self.market.with_values(values)
        )
        if altered.funding is None:
            return altered
        last = self.market.end_of(self.market.wide("close").index[row])
        return replace(altered, funding=altered.funding.replace_after(last, rng))

    def _alter_universe(
        self, values: Matrix, row: int, kept: int, rng: np.random.Generator
    ) -> Market:
        """Bars of which others are absent after a row, up to which they are the real ones."""
        real = self._real.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)
        first = kept * len(self._real.symbols)
        values[:first] = real[:first]
        market = alter_presence(self._real.with_values(values), row + 1, rng)
        if kept == row:  # whether a symbol has the bar is known when it begins
            known = self._real.present.to_numpy()[row : row + 1]
            later = market.present.to_numpy()[row + 1 :]
            market = hide_bars(market, row, np.concatenate([known, later]))
        return alter_members(market, row, rng)


def _move_level(bars: Matrix, price_factor: float, first_open: float) -> None:
    """Moves all prices to another level, the first open to one of its own; in place."""
    first = bars[:1, :4] * [
        first_open,
        max(first_open, price_factor),
        min(first_open, price_factor),
        price_factor,
    ]
    bars[:, :4] *= price_factor
    bars[:1, :4] = first


@dataclass(frozen=True, eq=False)
class _BarHistory:
    """The real bars of one symbol, and what synthetic ones are drawn from.

    Attributes:
        bars: (n, 5) open, high, low, close, volume.
        moves: (n - 1,) log returns from close to close.
        scale: Their standard deviation.
        gaps: (n - 1,) log returns from a close to the next open.
        above: (n,) logarithm of the high over the higher of open and close.
        below: (n,) likewise of the lower one over the low.
        traded: Volumes above 0; None where the source has no volume.
    """

    bars: Matrix
    moves: Vector
    scale: float
    gaps: Vector
    above: Vector
    below: Vector
    traded: Vector | None

    @classmethod
    def of_bars(cls, bars: Matrix) -> _BarHistory:
        opens, highs, lows, closes, volumes = bars.T
        moves = np.diff(np.log(closes))
        traded = volumes[volumes > 0.0]
        return cls(
            bars=bars,
            moves=moves,
            scale=float(moves.std()) or _FALLBACK_VOLATILITY,
            gaps=np.log(opens[1:] / closes[:-1]),
            above=np.log(highs / np.maximum(opens, closes)).clip(min=0.0),
            below=np.log(np.minimum(opens, closes) / lows).clip(min=0.0),
            traded=None if np.isnan(volumes).all() else traded if len(traded) else np.ones(1),
        )


def _draw_distinct_bars(
    history: _BarHistory, n_kept: int, rng: np.random.Generator, *, keep_open: bool
) -> Matrix:
    """Draws again in the rare case that a value equals the one it replaces."""
    while True:
        drawn = _draw_bars(history, n_kept, rng, keep_open=keep_open)
        same = drawn == history.bars[n_kept:]
        same[:1, 0] &= not keep_open
        if not same.any():
            return drawn


def _draw_bars(
    history: _BarHistory, n_kept: int, rng: np.random.Generator, *, keep_open: bool
) -> Matrix:
    """(n - kept, 5) open, high, low, close, volume."""
    opens, closes = history.bars[:, 0], history.bars[:, 3]
    count = len(history.bars) - n_kept

    def blurred(values: Vector) -> Vector:
        noise: Vector = _NOISE_SCALE * history.scale * rng.standard_normal(count)
        return values[rng.integers(len(values), size=count)] + noise

    start, steps = closes[n_kept - 1], blurred(history.moves.mean() - history.moves)
    if keep_open:
        start = start if np.isnan(opens[n_kept]) else opens[n_kept]
        rose = closes[n_kept] > start
        steps[0] = -abs(steps[0]) if rose else abs(steps[0])
    close = start * np.exp(np.cumsum(steps))
    before = np.concatenate([closes[n_kept - 1 : n_kept], close[:-1]])[:count]
    opened = before * np.exp(blurred(-history.gaps))
    if keep_open and not np.isnan(opens[n_kept]):
        opened[0] = start
    high = np.maximum(opened, close) * np.exp(np.abs(blurred(history.above)))
    low = np.minimum(opened, close) * np.exp(-np.abs(blurred(history.below)))
    return np.column_stack([opened, high, low, close, _draw_volumes(history.traded, count, rng)])


def _draw_volumes(traded: Vector | None, count: int, rng: np.random.Generator) -> Vector:
    """Positive volumes of the history times exp(0.5 N(0, 1)); NaN where it has no volume."""
    if traded is None:
        return np.full(count, np.nan)
    drawn: Vector = traded[rng.integers(len(traded), size=count)]
    return drawn * np.exp(0.5 * rng.standard_normal(count))
