"""How the strategy's returns stand to those of holding: beta, alpha, correlation."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.regression import HacRegression, fit_hac_regression
from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY
from engine.reporting.significance.section import PlainTable

if TYPE_CHECKING:
    from engine.runs.run import Run

DEFAULT_CONFIDENCE = 0.95


@dataclass(frozen=True)
class BenchmarkRegressionText:
    """What there is to say, both empty without a book to compare with."""

    sentences: tuple[str, ...] = ()
    tables: tuple[PlainTable, ...] = ()


def describe_benchmark_regression(run: Run) -> BenchmarkRegressionText:
    """The strategy's bar returns regressed on those of buy and hold."""
    if BUY_AND_HOLD not in run.returns:
        return BenchmarkRegressionText()
    mine, other = (run.returns[key].to_numpy(dtype=np.float64) for key in (STRATEGY, BUY_AND_HOLD))
    line = fit_hac_regression(other, mine)
    if line is None:
        return BenchmarkRegressionText()
    confidence = run.significance.get("method", {}).get("confidence") or DEFAULT_CONFIDENCE
    return _describe_regression(line, run.metrics["span"]["periods_per_year"], confidence)


def _describe_regression(
    regression: HacRegression, periods_per_year: float, confidence: float
) -> BenchmarkRegressionText:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    alpha = 100.0 * periods_per_year * regression.intercept
    error = (
        None
        if regression.intercept_standard_error is None
        else 100.0 * periods_per_year * regression.intercept_standard_error
    )
    level = formatting.confidence_level(confidence)
    interval = formatting.SIGNED_PERCENT.interval(*_confidence_bounds(alpha, error, z))
    table = PlainTable(
        ("Against buy and hold", "Figure"),
        (
            ("Beta", formatting.RATIO(regression.slope)),
            (
                f"{level} interval of beta",
                formatting.RATIO.interval(
                    *_confidence_bounds(regression.slope, regression.slope_standard_error, z)
                ),
            ),
            ("Correlation", formatting.RATIO(regression.correlation)),
            ("Alpha a year", formatting.SIGNED_PERCENT(alpha)),
            (
                f"{level} interval of alpha",
                formatting.SIGNED_PERCENT.interval(*_confidence_bounds(alpha, error, z)),
            ),
            ("t of alpha, HAC", formatting.SIGNED_RATIO(regression.intercept_t_statistic)),
            ("Bars", formatting.COUNT(regression.observations)),
        ),
        title="Against buy and hold",
        note="Least squares of the strategy's return of a bar on that of holding, errors HAC. "
        "Alpha is the intercept times the bars of a year: simple returns, not compounded.",
    )
    beta = formatting.RATIO(regression.slope)
    told = (
        f"For each 1{formatting.NO_BREAK_SPACE}% that holding made or lost, the strategy made "
        f"or lost "
        f"{beta}{formatting.NO_BREAK_SPACE}%; beyond that it made "
        f"{formatting.SIGNED_PERCENT(alpha)} a year"
    )
    if error is not None:
        holds = "includes" if abs(alpha) < z * error else "leaves out"
        told += f" ({level} interval {interval}, which {holds} 0)"
    return BenchmarkRegressionText((f"{told}.",), (table,))


def _confidence_bounds(
    estimate: float, error: float | None, z: float
) -> tuple[float | None, float | None]:
    return (None, None) if error is None else (estimate - z * error, estimate + z * error)
