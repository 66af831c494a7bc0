"""Shares that are an optimum of past returns, by skfolio."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.portfolio.allocation import AllocationSpec
from engine.portfolio.optimum import ShareProblem, solve_shares
from engine.portfolio.past_returns import compute_past_returns

if TYPE_CHECKING:
    from engine.core.types import BoolVector, IntVector, Matrix, Vector
    from engine.portfolio.allocation import PortfolioRow
    from engine.portfolio.optimum import Estimator


class OptimisedAllocation(AllocationSpec, ABC):
    """An optimum over the simple returns of the last bars, this close included.

    A symbol without enough closes in the window, or whose close did not move over it, has no
    share.

    Attributes:
        window: Returns that the optimum is of.
        covariance: Of these returns: `ledoit_wolf`, which is shrunk, or that of the `sample`.
        max_share: Largest share of a symbol; without enough symbols there is no optimum.
    """

    is_optimised: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("clarabel", "cvxpy-base", "skfolio")
    window: int = Field(default=252, ge=10, le=5000)
    covariance: Literal["ledoit_wolf", "sample"] = "ledoit_wolf"
    max_share: float = Field(default=1.0, gt=0, le=1)

    @property
    def closes_needed(self) -> int:
        """One more than returns."""
        return self.window + 1

    @property
    def returns_window(self) -> int:
        """The window."""
        return self.window

    @abstractmethod
    def _make_estimator(self, problem: ShareProblem) -> Estimator:
        """The optimiser of skfolio, for `problem.scaled_returns`."""

    def _solve(self, problem: ShareProblem) -> Vector | None:
        if problem.returns.shape[1] == 1 and problem.expected is None:
            return np.ones(1) if self.max_share == 1.0 else None
        return solve_shares(self._make_estimator, problem, self.model_dump_json())

    def _make_prior(self) -> object:
        from skfolio.moments import EmpiricalCovariance, LedoitWolf
        from skfolio.prior import EmpiricalPrior

        shrunk = self.covariance == "ledoit_wolf"
        return EmpiricalPrior(
            covariance_estimator=LedoitWolf() if shrunk else EmpiricalCovariance()
        )


def select_moving(closes: Matrix, window: int, among: BoolVector) -> tuple[IntVector, Matrix]:
    """The places of the symbols whose closes moved over a window, and their returns."""
    past = compute_past_returns(closes, window, among)
    moved = past.values.std(axis=0) > 0.0
    return past.places[moved], np.ascontiguousarray(past.values[:, moved])


class RiskAllocation(OptimisedAllocation, ABC):
    """The symbols that are held share the book by the risk of their returns alone.

    The returns of a short are negated, so that the shares are those of the book as it is held.
    """

    def divide(self, row: PortfolioRow) -> Vector | None:
        """Position times size times the optimal share; None where there is no optimum."""
        weights = np.zeros(len(row.positions))
        held = row.positions != 0
        places, returns = select_moving(row.closes, self.window, held)
        if not len(places):
            return weights
        sides = row.positions[places]
        shares = self._solve(ShareProblem(returns * sides))
        if shares is None:
            return None
        weights[places] = sides * row.sizes[places] * shares
        return weights


class RiskParityAllocation(RiskAllocation):
    """Every symbol that is held adds the same part of the book's variance.

    Source: Maillard, Roncalli and Teïletche (2010), The properties of equally weighted risk
    contribution portfolios, Journal of Portfolio Management 36.
    """

    kind: Literal["risk_parity"] = "risk_parity"

    def _make_estimator(self, _: ShareProblem) -> Estimator:
        from skfolio.optimization import RiskBudgeting

        return RiskBudgeting(prior_estimator=self._make_prior(), max_weights=self.max_share)


class HierarchicalRiskParityAllocation(RiskAllocation):
    """The book is divided between clusters of similar symbols by 1 / variance, then within them.

    Source: López de Prado (2016), Building diversified portfolios that outperform out of sample,
    Journal of Portfolio Management 42.
    """

    kind: Literal["hierarchical_risk_parity"] = "hierarchical_risk_parity"

    def _make_estimator(self, _: ShareProblem) -> Estimator:
        from skfolio.optimization import HierarchicalRiskParity

        return HierarchicalRiskParity(
            prior_estimator=self._make_prior(), max_weights=self.max_share
        )


class MinimumVarianceAllocation(RiskAllocation):
    """The shares of the symbols that are held with the smallest variance of the book.

    Source: Markowitz (1952), Portfolio selection, Journal of Finance 7.
    """

    kind: Literal["min_variance"] = "min_variance"

    def _make_estimator(self, _: ShareProblem) -> Estimator:
        from skfolio.optimization import MeanRisk

        return MeanRisk(prior_estimator=self._make_prior(), max_weights=self.max_share)


class MinimumShortfallAllocation(RiskAllocation):
    """The shares with the smallest mean loss of the book in its worst past bars (CVaR).

    Source: Rockafellar and Uryasev (2000), Optimization of conditional value-at-risk, Journal of
    Risk 2.

    Attributes:
        level: 1 less the share of the bars that are the worst.
    """

    kind: Literal["min_cvar"] = "min_cvar"
    level: float = Field(default=0.95, ge=0.5, lt=1)

    def _make_estimator(self, _: ShareProblem) -> Estimator:
        from skfolio import RiskMeasure
        from skfolio.optimization import MeanRisk

        return MeanRisk(
            risk_measure=RiskMeasure.CVAR,
            cvar_beta=self.level,
            prior_estimator=self._make_prior(),
            max_weights=self.max_share,
        )
