"""The volatility that a book is scaled to."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from engine.core.errors import UsageError
from engine.core.types import Spec
from engine.portfolio.past_returns import compute_past_returns

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector
    from engine.portfolio.terms import BookTerms


class BookVolatilityTarget(Spec):
    """The volatility that the weights of a rebalancing are scaled to, before the limits.

    The weights w are multiplied by min(`annual` / v, `max_weight` / sum |w|) with
    v = sqrt(w' S w x bars a year), where S is the sample covariance of the last simple returns,
    this close included: the volatility that a book of these weights would have had.

    Source: Harvey, Hoyle, Korgaonkar, Rattray, Sargaison and Van Hemert (2018), The impact of
    volatility targeting, Journal of Portfolio Management 45.

    Attributes:
        annual: Standard deviation of the book's return in a year: 0.1 is 10 %.
        window: Returns of the covariance.
    """

    annual: float = Field(gt=0, le=5)
    window: int = Field(default=60, ge=10, le=5000)

    def scale(self, weights: Vector, closes: Matrix, terms: BookTerms) -> Vector:
        """The weights of the target; 0 of a symbol without enough closes in the window.

        Args:
            weights: (m,) of a rebalancing.
            closes: (n, m) the last closes up to this one.
            terms: Bars a year, and the largest sum of |weight|.

        Raises:
            UsageError: It is not known how many bars a year has.
        """
        if terms.periods_per_year is None:
            raise UsageError(
                "a volatility of a year needs the bars a year",
                expected="BookTerms(periods_per_year=252) or another",
                found="none",
                where="portfolio.volatility_target",
                fix="give the periods per year of the dataset",
            )
        past = compute_past_returns(closes, self.window, weights != 0)
        scaled = np.zeros(len(weights))
        scaled[past.places] = own = weights[past.places]
        gross = float(np.abs(own).sum())
        if not gross:
            return scaled
        # One symbol after the other, so that the sum is added up in one order.
        book = np.zeros(self.window)
        for weight, returns in zip(own.tolist(), np.ascontiguousarray(past.values.T), strict=True):
            book += weight * returns
        volatility = float(book.std(ddof=1)) * sqrt(terms.periods_per_year)
        largest = terms.max_weight / gross
        factor = min(self.annual / volatility, largest) if volatility > 0 else largest
        return scaled * factor
