"""The strategy's return by side, cost, regime, year and symbol, and regressed on buy and hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts.attribution import return_sources_plot
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.tables import PlainTable
from engine.reporting.tearsheet._attribution_groups import (
    attribution_group_plot,
    attribution_group_tables,
)
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.documents import Analysis
    from engine.runs.documents.analysis_returns import AttributionSplit, BenchmarkRegressionFigures
    from engine.runs.documents.rates import AnnualRate
    from engine.runs.run import Run

MOST_SYMBOLS = 9
"""Symbols that an axis names, see `axes.MAX_CATEGORY_LABELS`."""

LOG_RETURN_FORMAT = formatting.SIGNED_PERCENT

STATUS_MESSAGES = {
    "ruined": "The strategy lost all of its equity: its growth cannot be attributed.",
    "unreconciled": "The fills of this run do not reproduce its returns: they cannot be "
    "attributed.",
}


@dataclass(frozen=True)
class AttributionContent:
    """Sentences, plots and tables of the section."""

    sentences: tuple[str, ...]
    plots: tuple[XYPlot, ...]
    tables: tuple[PlainTable, ...]


def attribution_section(run: Run) -> TearsheetSection:
    """Sides, costs, symbols, market regimes and years, which add up; beta and alpha."""
    analysis, span = run.analysis, describe_span(run.returns.index)
    regression, confidence = analysis.benchmark_regression, analysis.confidence
    sentences, tables = [], []
    if regression is not None:
        sentences.append(_benchmark_regression_sentence(regression, confidence))
        tables.append(_benchmark_regression_table(regression, confidence, analysis.risk_free_rate))
    split = analysis.attribution.split
    if split is not None and analysis.universe is not None:
        # The section of the universe has all symbols, and the axis here has no place for many.
        groups = (g for g in split.groups if g.key != "symbols" or len(g.parts) <= MOST_SYMBOLS)
        split |= {"groups": [group.as_dict() for group in groups]}
    if split is None:
        message = STATUS_MESSAGES[analysis.attribution.status]
        content = AttributionContent((message, *sentences), (), tuple(tables))
    else:
        content = AttributionContent(
            (_exposure_sentence(split), *sentences, *_residual_sentences(split)),
            _plots(split, analysis, span),
            (_time_in_market_table(split), *tables, *attribution_group_tables(split.groups)),
        )
    return TearsheetSection("attribution", "Attribution", content)


def _benchmark_regression_sentence(
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


def _benchmark_regression_table(
    regression: BenchmarkRegressionFigures, confidence: float, risk_free: AnnualRate
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
            ("Risk-free rate", risk_free.amount),
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


def _plots(split: AttributionSplit, analysis: Analysis, span: str) -> tuple[XYPlot, ...]:
    groups = (attribution_group_plot(group, analysis.regimes, span) for group in split.groups)
    return (_return_sources_plot(split, span), *groups)


def _exposure_sentence(split: AttributionSplit) -> str:
    if split.flat_bars_pct == 100:
        return "The strategy held no position: there is nothing to attribute."
    sides = [
        f"{side} at {formatting.PERCENT(share)}"
        for side, share in (
            ("long", split.long_bars_pct),
            ("short", split.short_bars_pct),
            ("flat", split.flat_bars_pct),
        )
        if share
    ]
    sentence = (
        f"{', '.join(sides).capitalize()} of the closes. Positions earned "
        f"{LOG_RETURN_FORMAT(split.gross_pct)} of log return before costs and "
        f"{LOG_RETURN_FORMAT(split.gross_pct + split.cost_pct)} after costs of "
        f"{formatting.PERCENT(-split.cost_pct)}."
    )
    if not split.interest_pct:
        return sentence
    return f"{sentence} Cash earned {LOG_RETURN_FORMAT(split.interest_pct)}."


def _residual_sentences(split: AttributionSplit) -> tuple[str, ...]:
    if split.residual_is_rounding:
        return ()
    return (
        f"The fills of this run do not explain {LOG_RETURN_FORMAT(split.residual_pct)} of log "
        "return; the parts below add up to the total without it.",
    )


def _return_sources_plot(split: AttributionSplit, span: str) -> XYPlot:
    contributions = {
        "Long": split.long_pct,
        "Short": split.short_pct,
        "Fees": split.fee_pct,
        "Slippage": split.slippage_pct,
        "Borrowing": split.borrow_pct,
        "Interest on cash": split.interest_pct,
        "Funding": split.funding_pct,
        "Interest on loans": split.loan_interest_pct,
    }
    parts = {label: value for label, value in contributions.items() if value != 0}
    return return_sources_plot(
        {**(parts or {"Long": 0.0}), "Net": split.net_pct},
        finding=_return_sources_finding(split),
        description="Log returns, because they add up over bars, sides and costs to the log of "
        f"the growth: {LOG_RETURN_FORMAT(split.net_pct)} of log return is growth by a factor of "
        f"{formatting.RATIO(split.growth_factor)}.",
        span=span,
    )


def _return_sources_finding(split: AttributionSplit) -> str:
    if split.gross_pct <= 0:
        lost = split.gross_pct < 0
        return (
            "The positions lost money before costs." if lost else "The positions earned nothing."
        )
    if -split.cost_pct > split.gross_pct:
        return "The positions earned money before costs, and costs were larger."
    share = formatting.confidence_level(round(-split.cost_pct / split.gross_pct, 2))
    sentence = f"Costs were {share} of what the positions earned"
    if not split.short_pct:
        return f"{sentence}."
    better = "long" if split.long_pct >= split.short_pct else "short"
    return f"{sentence}; the {better} side earned more."


def _time_in_market_table(split: AttributionSplit) -> PlainTable:
    return PlainTable(
        ("Closes", "Share"),
        (
            ("with a long position", formatting.PERCENT(split.long_bars_pct)),
            ("with a short position", formatting.PERCENT(split.short_bars_pct)),
            ("without a position", formatting.PERCENT(split.flat_bars_pct)),
            (
                "of the equity, on average while in the market",
                formatting.PERCENT(split.mean_invested_pct),
            ),
        ),
        title="Time in the market",
    )
