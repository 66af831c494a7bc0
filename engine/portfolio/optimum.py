"""One optimum of shares: solved once for equal inputs, or told as failed."""

from __future__ import annotations

import hashlib
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from engine.core.blas_threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix, Vector

Estimator: TypeAlias = Any
"""An optimiser of skfolio, whose classes are imported only where one is made."""

SMALLEST_SHARE = 1e-6
"""Smaller shares are 0: a solver ends so far from a bound."""

_SOLVED: OrderedDict[bytes, tuple[Vector | None]] = OrderedDict()
"""Digest of the inputs -> shares: the leakage test decides the same closes many times."""

_MAX_SOLVED = 20_000


@dataclass(frozen=True, eq=False)
class ShareProblem:
    """What shares of k symbols are chosen by.

    Attributes:
        returns: (n, k) past returns, those of a symbol that is sold short negated.
        expected: (k,) expected return of a bar, likewise; None where no forecast takes part.
        before: (k,) shares before, likewise, where changing them costs something.
        cost: Of a change of 1, as a return of one bar.
    """

    returns: Matrix
    expected: Vector | None = None
    before: Vector | None = None
    cost: float = 0.0

    @property
    def unit(self) -> float:
        """The mean standard deviation: in its units a solver is as exact at every interval."""
        return float(self.returns.std(axis=0).mean())

    def scaled_returns(self) -> Matrix:
        """The returns in units, with the expected ones as their mean where there are any."""
        if self.expected is None:
            return self.returns / self.unit
        centred = self.returns - self.returns.mean(axis=0) + self.expected
        scaled: Matrix = centred / self.unit
        return scaled

    def digest(self, settings: str) -> bytes:
        """Of all inputs."""
        found = hashlib.sha256(settings.encode())
        for part in (self.returns, self.expected, self.before, np.array([self.cost])):
            found.update(b"-" if part is None else repr(part.shape).encode() + part.tobytes())
        return found.digest()


def solve_shares(
    make_estimator: Callable[[ShareProblem], Estimator], problem: ShareProblem, settings: str
) -> Vector | None:
    """Shares of 0 or more, their sum 1 or less; None where there is no optimum.

    Args:
        make_estimator: Makes the optimiser for the returns in units.
        problem: Its inputs, of one symbol at least, whose returns all vary.
        settings: Of the optimiser, as text.
    """
    key = problem.digest(settings)
    solved = _SOLVED.get(key)
    if solved is None:
        with one_blas_thread():
            solved = (_fit(make_estimator(problem), problem.scaled_returns()),)
        _SOLVED[key] = solved
        if len(_SOLVED) > _MAX_SOLVED:
            _SOLVED.popitem(last=False)
    (shares,) = solved
    return None if shares is None else shares.copy()


def forget_optima() -> None:
    """Lets equal inputs be solved again, as in a new process."""
    _SOLVED.clear()


def _fit(estimator: Estimator, returns: Matrix) -> Vector | None:
    from skfolio.exceptions import SkfolioError

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            shares = np.asarray(estimator.fit(returns).weights_, dtype=np.float64)
        except (SkfolioError, ValueError, ArithmeticError):
            return None
    # skfolio warns of a solution that the solver does not call optimal, and returns it.
    if any("inaccurate" in str(each.message) for each in caught):
        return None
    shares = np.where(shares < SMALLEST_SHARE, 0.0, shares)
    total = float(shares.sum())
    return shares / total if total > 1.0 else shares
