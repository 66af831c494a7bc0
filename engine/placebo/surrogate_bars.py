"""Surrogate bars: what a market has but the order or the direction of its moves.

Every bar is taken as the logarithms of its open, high, low and close over the close before it.
Those of all symbols at a time stay together, so that what they have in common stays too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from engine.core.errors import UsageError
from engine.data.bars import VALUE_COLUMNS
from engine.evaluation.inference.stationary_bootstrap import optimal_block_length

if TYPE_CHECKING:
    from engine.core.types import BoolVector, IntVector, Matrix, Vector
    from engine.data import Market

SurrogateKind = Literal["signs", "blocks", "shifts"]
SURROGATE_KINDS: tuple[SurrogateKind, ...] = get_args(SurrogateKind)

_OPEN, _HIGH, _LOW, _CLOSE = range(4)
_MIN_BARS = 30


def draw_market(market: Market, kind: SurrogateKind, rng: np.random.Generator) -> Market:
    """Another market of the same bars, drawn from a generator; of `shifts` the same one.

    `signs`: at each time one fair coin for all symbols turns every move about its mean, or does
    not. Sizes of moves stay at their times, and so does volatility; the mean of the log returns
    stays within its error. Of a bar that falls instead of rising, high and low change places.

    `blocks`: bars are drawn in blocks of random length (stationary bootstrap), volumes with them.
    Within a block everything stays, between blocks nothing.

    Raises:
        UsageError: The market has holes (`blocks`), or symbols on calendars or in currencies of
            their own, whose bars are joined (both).
    """
    if kind == "shifts":
        return market
    if market.assembly is not None:
        raise _not_offered(kind, "symbols on calendars or in currencies of their own")
    if kind == "blocks":
        if market.has_absences:
            raise _not_offered(kind, "symbols without a bar at some times")
        return _draw_blocks(market, rng)
    return _turn_signs(market, rng)


def _not_offered(kind: SurrogateKind, found: str) -> UsageError:
    return UsageError(
        f"surrogates of the kind {kind} are not offered for this dataset",
        expected="bars of all symbols at the same times",
        found=found,
        where="--surrogates",
        fix="use --surrogates shifts, which leaves the bars as they are"
        if "calendars" in found
        else "use --surrogates signs",
    )


def _turn_signs(market: Market, rng: np.random.Generator) -> Market:
    """The market with the move of each time turned, or not, for all symbols alike."""
    values = _by_symbol(market)
    turned = np.less(rng.random(values.shape[1]), 0.5)
    for bars in values:
        there = np.flatnonzero(~np.isnan(bars[:, _CLOSE]))
        if len(there) > 1:
            bars[there] = _turn(bars[there], turned[there[1:]])
    return market.with_values(_by_time(values))


def _turn(bars: Matrix, turned: BoolVector) -> Matrix:
    """Bars of one symbol without holes; the first stays, the others are turned where told."""
    moves = _to_moves(bars)
    drift = float(np.mean(moves[:, _CLOSE]))
    mirrored = 2.0 * drift - moves[:, [_OPEN, _LOW, _HIGH, _CLOSE]]
    return _from_moves(bars, np.where(turned[:, None], mirrored, moves), bars[1:, _CLOSE + 1])


def _draw_blocks(market: Market, rng: np.random.Generator) -> Market:
    """The market with its bars in blocks of another order."""
    values = _by_symbol(market)
    moves = [_to_moves(bars) for bars in values]
    rows = _draw_rows(len(moves[0]), _block_length(moves), rng)
    drawn = [
        _from_moves(bars, own[rows], bars[1:, _CLOSE + 1][rows])
        for bars, own in zip(values, moves, strict=True)
    ]
    return market.with_values(_by_time(np.stack(drawn)))


def _block_length(moves: list[Matrix]) -> float:
    """The longest optimal length of the log returns of the symbols and of their squares."""
    closes = [own[:, _CLOSE] for own in moves]
    lengths = [
        optimal_block_length(series)
        for close in closes
        for series in (close, close**2)
        if len(series) >= _MIN_BARS and np.ptp(series) > 0.0
    ]
    return max([1.0, *lengths])


def _draw_rows(count: int, block_length: float, rng: np.random.Generator) -> IntVector:
    """Rows of a stationary bootstrap: a row begins a block, or follows the one before it."""
    begins = rng.random(count) < 1.0 / block_length
    begins[0] = True
    firsts = rng.integers(0, count, count)
    places = np.flatnonzero(begins)
    block = np.cumsum(begins) - 1
    rows: IntVector = (firsts[places][block] + np.arange(count) - places[block]) % count
    return rows


def _to_moves(bars: Matrix) -> Matrix:
    """Logarithms of the prices of each bar but the first over the close before, (n - 1, 4)."""
    moves: Matrix = np.log(bars[1:, : _CLOSE + 1] / bars[:-1, _CLOSE : _CLOSE + 1])
    return moves


def _from_moves(bars: Matrix, moves: Matrix, volumes: Vector) -> Matrix:
    """Bars after the first of `bars`, which is kept, with these moves and volumes."""
    levels = np.log(bars[0, _CLOSE]) + np.concatenate([[0.0], np.cumsum(moves[:, _CLOSE])])
    prices = np.exp(levels[:-1, None] + moves)
    return np.vstack([bars[:1], np.column_stack([prices, volumes])])


def _by_symbol(market: Market) -> Matrix:
    """Prices and volumes, shape (symbols, n, 5)."""
    values = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)
    by_time = values.reshape(-1, len(market.symbols), len(VALUE_COLUMNS))
    return np.ascontiguousarray(by_time.transpose(1, 0, 2))


def _by_time(values: Matrix) -> Matrix:
    rows: Matrix = values.transpose(1, 0, 2).reshape(-1, len(VALUE_COLUMNS))
    return rows
