"""Symbols whose returns tell what another symbol earns later, and nothing of the same bar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.core.types import IntMatrix, Matrix, Vector

# Wrong dates are off by a day or two, seldom by a week.
_MAX_LAG = 5
# In a part of the history as well: a vendor changes its labels at some date.
_MAX_PARTS, _MIN_PART_BARS = 12, 250
_MIN_BARS = 60
ERROR_RATE = 1e-4
"""At most this share of honest datasets has a finding, see `find_lagged_returns`."""
# Below it lie true leads of a liquid market over a thin one. A wrong label of two symbols of
# which the returns have less in common is not distinguished from chance, and earns less.
_MIN_CORRELATION = 0.2
# A smoothed or stale price follows itself by up to 0.4; one that holds the next, by 0.7 or more.
_MIN_OWN_CORRELATION = 0.5
# A stale price that follows another keeps more than this share of the correlation at once.
_MAX_SHARE_AT_ONCE = 0.5
# Pairs a symbol up to which sums of each take less time than a product of matrices.
_FEW_PAIRS = 4


@dataclass(frozen=True)
class LaggedReturns:
    """Two symbols of which one knows what the other earns later.

    Attributes:
        leader: Position of the symbol whose returns come early.
        follower: Position of the other; the same for a symbol that knows its own next price.
        lag: Bars between them.
        correlation: Of the leader's return, close to close, with what the follower earns `lag`
            bars later, from open to open.
        at_once: Correlation of their returns of the same bars; of one symbol, that of its returns
            from open to open with the ones `lag` bars later.
        begin: First row concerned.
        end: Row after the last.
        others: Further symbols with which the same symbol is found.
    """

    leader: int
    follower: int
    lag: int
    correlation: float
    at_once: float
    begin: int
    end: int
    others: int = 0

    @property
    def is_own(self) -> bool:
        """Whether a symbol knows its own next price."""
        return self.leader == self.follower


def find_lagged_returns(opens: Matrix, closes: Matrix) -> list[LaggedReturns]:
    """The symbols of which one knows what another, or itself, earns later.

    With x[t] the leader's log return from close t - 1 to close t, and y[t] the follower's from
    open t + lag to open t + lag + 1, both less their means, the statistic is

        z = sum(x y) / sqrt(sum(x^2 y^2)).

    Where y cannot be known at close t and the signs of x y are independent, P(|z| > c) is at most
    2 exp(-c^2 / 2) for any size and any clustering of the returns (de la Pena, Lai and Shao, 2009,
    Self-Normalized Processes, section 2). c is chosen so that over all pairs, lags and parts of
    the history together it is `ERROR_RATE`. Further, the correlation is 0.2 or more, and at least
    twice that at once: a thin market that follows another keeps its correlation at once. A market
    that closes earlier, as Tokyo before New York, follows at its open, and y begins there.

    Args:
        opens: Shape (n, symbols), on the timestamps that all have; above 0.
        closes: The same.

    Returns:
        One for each symbol that is found, with its highest correlation; none for fewer than 60
        bars.
    """
    bars, symbols = closes.shape
    parts = _parts(bars)
    tests = symbols * symbols * _MAX_LAG * len(parts)
    limit = float(np.sqrt(2.0 * np.log(2.0 * max(tests, 1) / ERROR_RATE)))
    returns = np.diff(np.log(closes), axis=0)
    earned = np.diff(np.log(opens), axis=0)
    found = [
        one
        for begin, end in parts
        for lag in range(1, _MAX_LAG + 1)
        for one in _find_at(returns, earned, (begin, end), lag, limit)
    ]
    return _one_a_symbol(found)


def _parts(bars: int) -> list[tuple[int, int]]:
    """Rows of the whole history, and of its parts."""
    if bars < _MIN_BARS:
        return []
    count = min(bars // _MIN_PART_BARS, _MAX_PARTS)
    edges = np.linspace(0, bars, count + 1).astype(int).tolist() if count > 1 else []
    return [(0, bars), *pairwise(edges)]


def _find_at(
    returns: Matrix, earned: Matrix, rows: tuple[int, int], lag: int, limit: float
) -> Iterator[LaggedReturns]:
    """The pairs with one lag in one part of the history."""
    begin, end = rows
    # Row t of `returns` ends at close t + 1; row t of `earned` begins at open t.
    last = end - 1 - lag - 1
    early, late = (
        _centred(returns[begin:last]),
        _centred(earned[begin + 1 + lag : last + 1 + lag]),
    )
    if len(early) < _MIN_BARS - _MAX_LAG - 2:
        return
    products = early.T @ late
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt(np.outer(np.square(early).sum(0), np.square(late).sum(0)))
        correlation = products / scale
        suspected = np.abs(correlation) >= _MIN_CORRELATION
        # A negative one of its own is a bounce between bid and ask.
        suspected[np.diag_indices(len(suspected))] &= np.diag(correlation) >= _MIN_OWN_CORRELATION
        pairs = np.argwhere(suspected)
        score = np.abs(products[suspected]) / np.sqrt(_squared_products(early, late, pairs))
    for leader, follower in pairs[score >= limit].tolist():
        value = float(correlation[leader, follower])
        if leader == follower:
            own = earned[begin:end, leader]
            # Of a price without opens of its own, the earnings begin one bar later.
            values = [_correlation(own[:-gap], own[gap:]) for gap in (lag, lag + 1)]
            at_once = max(values, key=abs)
        else:
            at_once = _correlation(returns[begin:end, leader], returns[begin:end, follower])
        if abs(at_once) <= _MAX_SHARE_AT_ONCE * abs(value):
            yield LaggedReturns(leader, follower, lag, value, at_once, begin, end)


def _squared_products(early: Matrix, late: Matrix, pairs: IntMatrix) -> Vector:
    """(p,) the sum of x^2 y^2 of each pair."""
    early, late = np.square(early), np.square(late)
    if len(pairs) > _FEW_PAIRS * early.shape[1]:
        every: Matrix = early.T @ late
        return every[pairs[:, 0], pairs[:, 1]]
    return np.asarray((early[:, pairs[:, 0]] * late[:, pairs[:, 1]]).sum(axis=0))


def _one_a_symbol(found: Sequence[LaggedReturns]) -> list[LaggedReturns]:
    """The longest part and strongest lag of each pair; of the pairs one for each symbol."""
    pairs: dict[frozenset[int], LaggedReturns] = {}
    for one in sorted(found, key=lambda each: (each.begin - each.end, -abs(each.correlation))):
        pairs.setdefault(frozenset({one.leader, one.follower}), one)
    left, kept = dict(pairs), []
    while left:
        names = [name for pair in left for name in pair]
        first = next(iter(left.values()))
        most = max(dict.fromkeys([first.leader, *names]), key=names.count)
        own = [pair for pair in left if most in pair]
        kept.append(replace(left[own[0]], others=len(own) - 1))
        left = {pair: one for pair, one in left.items() if pair not in own}
    return kept


def _centred(values: Matrix) -> Matrix:
    return values - values.mean(axis=0) if len(values) else values


def _correlation(one: Matrix, other: Matrix) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale > 0.0 else 0.0
