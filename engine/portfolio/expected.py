"""Shares that are an optimum of forecasts and past returns, by skfolio."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.portfolio.optimised import OptimisedAllocation, select_moving
from engine.portfolio.optimum import ShareProblem
from engine.portfolio.shrinkage import shrink_forecasts

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.portfolio.allocation import PortfolioRow
    from engine.portfolio.optimum import Estimator

BPS = 10_000


class ForecastAllocation(OptimisedAllocation, ABC):
    """Forecasts are the expected returns, and no threshold takes part.

    A forecast is of a simple return over the horizon; divided by the bars of the horizon it is
    the expected return of a bar, beside the covariance of bars. A cost is paid once: so it is
    divided by the bars that pay for it, as the optimiser charges it in each bar of its returns.

    Attributes:
        shrinkage: How far forecasts are moved towards their mean over the symbols: 0 not at all, 1
            all the way; `bayes_stein` by how well `window` returns could tell them apart.
        side: `long_only`, or `long_short`: what is expected to fall, after the shrinkage, is sold
            short.
        cost_bps: What a change of a weight costs, in basis points of its value.
        cost_bars: Bars that a change pays for itself in; the horizon by default.
    """

    by_rank: ClassVar[bool] = True
    shrinkage: Annotated[float, Field(ge=0, le=1)] | Literal["bayes_stein"] = "bayes_stein"
    side: Literal["long_only", "long_short"] = "long_only"
    cost_bps: float = Field(default=0.0, ge=0, le=1000)
    cost_bars: int | None = Field(default=None, ge=1, le=10_000)

    @property
    def symbols_needed(self) -> int:
        """Two, to compare."""
        return 2

    def divide(self, row: PortfolioRow) -> Vector | None:
        """Side times size times the optimal share; None where there is no optimum."""
        weights = np.zeros(len(row.predicted))
        known = np.zeros(len(weights), dtype=bool)
        known[row.highest()] = row.sizes[row.highest()] > 0
        places, returns = select_moving(row.closes, self.window, known)
        if not len(places):
            return weights
        given = None if self.shrinkage == "bayes_stein" else float(self.shrinkage)
        expected = row.predicted[places] / row.horizon
        expected = shrink_forecasts(expected, returns, given, self.covariance)
        short = self.side == "long_short"
        sides = np.where(expected < 0, -1.0, 1.0) if short else np.ones(len(places))
        if not (expected * sides > 0).any():
            return weights
        before = np.zeros(len(weights)) if row.before is None else row.before
        shares = self._solve(
            ShareProblem(
                returns * sides,
                expected * sides,
                sides * before[places] / row.sizes[places],
                self.cost_bps / BPS / (self.cost_bars or row.horizon),
            )
        )
        if shares is None:
            return None
        weights[places] = sides * row.sizes[places] * shares
        return weights

    def _settings(self, problem: ShareProblem) -> dict[str, Any]:
        costs = {"transaction_costs": problem.cost / problem.unit} if problem.cost else {}
        return {
            "prior_estimator": self._make_prior(),
            "max_weights": self.max_share,
            **costs,
            **({"previous_weights": problem.before} if costs else {}),
        }


class MeanVarianceAllocation(ForecastAllocation):
    """The shares with the largest expected return less `risk_aversion` times variance.

    What is not worth its risk stays in cash.

    Source: Markowitz (1952), Portfolio selection, Journal of Finance 7.

    Attributes:
        risk_aversion: Expected return that one unit of variance is worth.
    """

    kind: Literal["mean_variance"] = "mean_variance"
    risk_aversion: float = Field(default=5.0, gt=0, le=10_000)

    def _make_estimator(self, problem: ShareProblem) -> Estimator:
        from skfolio.optimization import MeanRisk, ObjectiveFunction

        return MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_UTILITY,
            # Variance is in squared units.
            risk_aversion=self.risk_aversion * problem.unit,
            budget=None,
            max_budget=1.0,
            **self._settings(problem),
        )


class MaximumSharpeAllocation(ForecastAllocation):
    """The shares of the whole book with the largest expected return for its standard deviation.

    Source: Tobin (1958), Liquidity preference as behavior towards risk, Review of Economic Studies
    25.
    """

    kind: Literal["max_sharpe"] = "max_sharpe"

    def _make_estimator(self, problem: ShareProblem) -> Estimator:
        from skfolio import RiskMeasure
        from skfolio.optimization import MeanRisk, ObjectiveFunction

        return MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_RATIO,
            risk_measure=RiskMeasure.STANDARD_DEVIATION,
            **self._settings(problem),
        )
