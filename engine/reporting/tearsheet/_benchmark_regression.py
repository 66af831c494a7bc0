"""Regression of the strategy's returns on those of buy and hold: beta, alpha, correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents.analysis_returns import BenchmarkRegressionFigures


def benchmark_regression_sentence(
    regression: BenchmarkRegressionFigures, confidence: float
) -> str:
    """Beta and alpha in one sentence, with the interval of alpha."""
    beta = formatting.RATIO(regression.beta)
    alpha = formatting.SIGNED_PERCENT(regression.alpha_pct_per_year)
    sentence = (
        f"For each 1{formatting.NO_BREAK_SPACE}% of return of buy and hold, the strategy returned "
        f"{beta}{formatting.NO_BREAK_SPACE}% (beta). Its alpha is {alpha} a year"
    )
    low, high = regression.alpha_low_pct_per_year, regression.alpha_high_pct_per_year
    if low is None or high is None:
        return f"{sentence}."
    level = formatting.confidence_level(confidence)
    contains = "contains" if low < 0 < high else "does not contain"
    interval = formatting.SIGNED_PERCENT.interval(low, high)
    return f"{sentence} ({level} interval {interval}, which {contains} 0)."


def benchmark_regression_table(
    regression: BenchmarkRegressionFigures, confidence: float
) -> PlainTable:
    """Beta, alpha, their intervals, and correlation."""
    level = formatting.confidence_level(confidence)
    beta = formatting.RATIO.interval(regression.beta_low, regression.beta_high)
    alpha = formatting.SIGNED_PERCENT.interval(
        regression.alpha_low_pct_per_year, regression.alpha_high_pct_per_year
    )
    return PlainTable(
        ("Against buy and hold", "Figure"),
        (
            ("Beta", formatting.RATIO(regression.beta)),
            (f"{level} interval of beta", beta),
            ("Correlation", formatting.RATIO(regression.correlation)),
            ("Alpha, annualised", formatting.SIGNED_PERCENT(regression.alpha_pct_per_year)),
            (f"{level} interval of alpha", alpha),
            ("t-statistic of alpha, HAC", formatting.SIGNED_RATIO(regression.alpha_t_statistic)),
            ("Bars", formatting.COUNT(regression.observations)),
        ),
        title="Against buy and hold",
        note="Least squares of the strategy's return of a bar on that of buy and hold, with HAC "
        "standard errors. Alpha is the intercept times the bars of a year: simple returns, not "
        "compounded.",
    )
