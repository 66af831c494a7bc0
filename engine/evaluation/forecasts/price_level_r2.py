"""The level-forecast trap: a high R² on price levels without any forecast skill."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.forecasts.accuracy_tests import as_columns, clark_west, direction_test
from engine.evaluation.metrics.return_metrics import finite_or_none

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Matrix, Vector

HIGH_R2 = 0.9
"""From this R² on prices the check applies."""


@dataclass(frozen=True)
class PriceLevelR2Check:
    """Result of the check; figures are None where they are not defined.

    Attributes:
        present: Whether R² on prices is high without skill, see `check_price_level_r2`.
        r2_prices: R² of the predicted prices.
        r2_prices_persistence: R² of repeating the last price.
        r2_vs_persistence: R² of the predicted returns against no change, 1 - SSE / SSE of 0.
        r2_vs_drift: R² of the predicted returns against the mean return of the train rows.
        direction_pct: Rows with the right direction; 0 counts as down, on both sides.
        up_pct: Rows that went up: the accuracy of always predicting up.
        sentence: The finding in words; None where the trap is not present.
    """

    present: bool
    r2_prices: float | None
    r2_prices_persistence: float | None
    r2_vs_persistence: float | None
    r2_vs_drift: float | None
    direction_pct: float | None
    up_pct: float | None
    sentence: str | None


def check_price_level_r2(
    price_at_forecast: Vector | Matrix,
    price_at_horizon: Vector | Matrix,
    predicted: Vector | Matrix,
    drift_return: Vector | Matrix | float,
    *,
    horizon: int = 1,
    confidence: float = 0.95,
) -> PriceLevelR2Check:
    """Detects forecasts with a high R² on prices and no evidence of skill.

    A price is close to the previous price, so that repeating it explains nearly all of the
    variance: an R² on prices measures how far prices moved, not how well they were forecast. The
    trap is present where the predicted prices have an R² of 0.9 or more and the forecasts pass
    neither of these tests, each at the level 1 - confidence:

    - it adds to no change, and to the train drift, by the Clark-West test of each. Its errors of
      the return may be larger all the same, as a model that is fitted makes errors of its own; an
      R² against persistence above 0 is not enough, as half of all useless forecasts have one.
    - significantly more right directions than always predicting up, by the Pesaran-Timmermann
      test on every horizon-th row, as it needs rows that do not overlap.

    Skill is measured on returns rather than prices, so that every bar has the same weight whatever
    the price. A model with little skill and too few rows to show it is flagged too: of markets
    of 1,000 bars with an edge of Sharpe 1.5 about one in seven.

    Of several symbols, R² on prices is the mean of those of each symbol, and everything else is
    of all their forecasts together.

    Args:
        price_at_forecast: Price at the time of each forecast, (n,), or (n, m) of m symbols.
        price_at_horizon: Price `horizon` bars later, likewise; NaN where it is not known yet.
        predicted: Forecast of the simple return between them, likewise; NaN where there is none.
            What is NaN in either is left out.
        drift_return: Mean return of the train rows of each forecast, likewise, or one value.
        horizon: Bars ahead.
        confidence: 1 - the level of the tests.

    Source: Granger & Newbold (1974), J. of Econometrics 2, on R² between levels; for the tests see
    `accuracy_tests`.
    """
    panel = _ForecastPanel.of(price_at_forecast, price_at_horizon, predicted, drift_return)
    actual, forecast, train = panel.cells(panel.actual, panel.predicted, panel.train)
    error = actual - forecast
    r2_prices = panel.r2_prices(1.0 + panel.predicted)
    direction_pct = _share_pct((forecast > 0) == (actual > 0))
    up_pct = _share_pct(actual > 0)
    level = 1 - confidence
    adds_information = all(
        _is_significant(clark_west(panel.predicted, other, panel.actual, horizon).p_value, level)
        for other in (np.zeros_like(panel.actual), panel.train)
    )
    better_direction = (
        direction_pct is not None
        and up_pct is not None
        and direction_pct > up_pct
        and _is_significant(
            direction_test(panel.predicted[::horizon], panel.actual[::horizon]).p_value, level
        )
    )
    high_r2 = r2_prices is not None and r2_prices >= HIGH_R2
    check = PriceLevelR2Check(
        present=high_r2 and not adds_information and not better_direction,
        r2_prices=r2_prices,
        r2_prices_persistence=panel.r2_prices(np.ones_like(panel.predicted)),
        r2_vs_persistence=_r_squared(error, actual),
        r2_vs_drift=_r_squared(error, actual - train),
        direction_pct=direction_pct,
        up_pct=up_pct,
        sentence=None,
    )
    return replace(check, sentence=_describe_check(check)) if check.present else check


@dataclass(frozen=True, eq=False)
class _ForecastPanel:
    """Forecasts and outcomes, (n, m) of m symbols; NaN where either is missing."""

    before: Matrix
    after: Matrix
    predicted: Matrix
    train: Matrix
    known: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        before: Vector | Matrix,
        after: Vector | Matrix,
        predicted: Vector | Matrix,
        drift_return: Vector | Matrix | float,
    ) -> _ForecastPanel:
        """The bars at which a symbol has a forecast and its outcome."""
        train = np.broadcast_to(np.asarray(drift_return, dtype=np.float64), np.shape(after))
        columns = [as_columns(each) for each in (before, after, predicted, train)]
        known = np.isfinite(columns[1]) & np.isfinite(columns[2])
        rows = known.any(axis=1)
        prices, later, forecasts, drift = (np.where(known, each, np.nan)[rows] for each in columns)
        return cls(prices, later, forecasts, drift, known[rows])

    @property
    def actual(self) -> Matrix:
        """Simple returns."""
        return self.after / self.before - 1.0

    def cells(self, *panels: Matrix) -> tuple[Vector, ...]:
        """What is known of each panel."""
        return tuple(each[self.known] for each in panels)

    def r2_prices(self, growth: Matrix) -> float | None:
        """R² of the prices before times a growth, mean over the symbols that have one."""
        forecast = self.before * growth
        each = [
            _r_squared(
                self.after[own, column] - forecast[own, column],
                self.after[own, column] - _mean_or_zero(self.after[own, column]),
            )
            for column, own in enumerate(self.known.T)
        ]
        defined = [r2 for r2 in each if r2 is not None]
        return float(np.mean(defined)) if defined else None


def _is_significant(p_value: float | None, significance_level: float) -> bool:
    return p_value is not None and p_value < significance_level


def _describe_check(check: PriceLevelR2Check) -> str:
    """The finding for a reader who was shown the R² on prices."""
    explained, right, up = check.r2_vs_persistence, check.direction_pct, check.up_pct
    skill = "no change was never wrong"
    if explained is not None:
        within = ", no more than chance or drift would give" if explained > 0 else ""
        skill = f"the forecasts' R² against no change is {explained:.4f}{within}"
    direction = ""
    if right is not None and up is not None:
        chance = ", no more than chance would give" if right > up else ""
        direction = (
            f", and their direction is right {right:.1f} % of the time{chance}, always saying up "
            f"{up:.1f} %"
        )
    return (
        f"The R² of {_format_r2(check.r2_prices)} on prices is the level-forecast trap: "
        f"repeating the "
        f"last price has {_format_r2(check.r2_prices_persistence)}; {skill}{direction}."
    )


def _format_r2(r2: float | None) -> str:
    """Three digits, rounded down so that it never reads 1.000."""
    return "none" if r2 is None else f"{math.floor(r2 * 1000) / 1000:.3f}"


def _r_squared(error: Vector, reference: Vector) -> float | None:
    total = float(np.sum(reference**2))
    return finite_or_none(1.0 - np.sum(error**2) / total) if total > 0 else None


def _mean_or_zero(values: Vector) -> float:
    return float(values.mean()) if len(values) else 0.0


def _share_pct(hits: npt.NDArray[np.bool_]) -> float | None:
    return float(hits.mean() * 100) if len(hits) else None
