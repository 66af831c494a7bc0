"""Simple linear regression with HAC standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.hac import MIN_BARS, long_run_variance

if TYPE_CHECKING:
    from engine.core.types import Vector

CONSTANT_TOLERANCE = 1e-12


@dataclass(frozen=True)
class HacRegression:
    """y = intercept + slope x + error, by ordinary least squares.

    Attributes:
        observations: n.
        intercept: In units of y.
        slope: In units of y over units of x.
        intercept_standard_error: HAC standard error; None for an exact fit.
        slope_standard_error: Likewise.
        correlation: Correlation of x and y; None where y is constant.
    """

    observations: int
    intercept: float
    slope: float
    intercept_standard_error: float | None
    slope_standard_error: float | None
    correlation: float | None

    @property
    def intercept_t_statistic(self) -> float | None:
        """Intercept over its standard error."""
        return (
            self.intercept / self.intercept_standard_error
            if self.intercept_standard_error
            else None
        )

    @property
    def slope_t_statistic(self) -> float | None:
        """Slope over its standard error."""
        return self.slope / self.slope_standard_error if self.slope_standard_error else None


def fit_hac_regression(x: Vector, y: Vector) -> HacRegression | None:
    """Fits y on x by least squares, with HAC standard errors.

    Coefficient j has the influence values psi_tj = (X'X / n)^-1 x_t e_t, e the residuals, and the
    standard error sqrt(LRV(psi_j) / n), LRV the long-run variance (prewhitened, quadratic spectral
    kernel). It allows for serial dependence and heteroscedasticity.

    Args:
        x: Shape (n,), in time order, no NaN.
        y: Shape (n,), no NaN.

    Returns:
        None below 30 rows, or where x is constant.

    Source: Newey & West (1987), Econometrica 55; Andrews (1991), Econometrica 59 for the kernel.
    """
    rows = len(x)
    if rows < MIN_BARS or not _varies(x):
        return None
    centred = x - x.mean()
    spread = float(np.mean(centred**2))
    slope = float(np.mean(centred * y) / spread)
    intercept = float(y.mean() - slope * x.mean())
    residual = y - intercept - slope * x
    correlation = float(np.corrcoef(x, y)[0, 1]) if _varies(y) else None
    errors: tuple[float | None, float | None] = (None, None)
    if np.abs(residual).max() > CONSTANT_TOLERANCE * max(np.abs(y).max(), np.abs(slope * x).max()):
        on_slope = centred * residual / spread
        on_intercept = residual - x.mean() * on_slope
        errors = (_standard_error(on_intercept), _standard_error(on_slope))
    return HacRegression(rows, intercept, slope, *errors, correlation)


def _standard_error(influence: Vector) -> float:
    return float(np.sqrt(long_run_variance(influence) / len(influence)))


def _varies(values: Vector) -> bool:
    return bool(np.ptp(values) > CONSTANT_TOLERANCE * np.abs(values).max())
