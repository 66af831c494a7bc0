"""`analysis.json`: every figure of the tearsheet that is computed from a run's tables."""

from __future__ import annotations

from collections.abc import Mapping

from engine.runs.documents.analysis_forecasts import ForecastAnalysis
from engine.runs.documents.analysis_returns import (
    AttributionFigures,
    BenchmarkRegressionFigures,
    DistributionFigures,
    HistogramFigures,
    PeriodReturns,
    RollingFigures,
    TailCurves,
)
from engine.runs.documents.analysis_universe import UniverseFigures
from engine.runs.documents.base import Document, DocumentPart
from engine.runs.documents.rates import AnnualRate


class RoundTripFigures(DocumentPart):
    """The strategy's round trips in figures; None where one is not defined.

    Attributes:
        finished: Finished round trips.
        open: Round trips that were open at the last bar; they count for nothing else here.
        win_rate_pct: Share of the finished ones that made money after costs.
        payoff_ratio: Mean profit of the winners over the mean loss of the others.
        break_even_win_rate_pct: Win rate at which that payoff ratio gives no profit and no loss.
        profit_factor: Sum of the profits over the sum of the losses.
        mean_bars: Closes held, mean.
        losing_streak: The most in a row that made no money.
        winners_median_mae_pct: Median maximum adverse excursion of the winners, at most 0.
        losers_median_mfe_pct: Median maximum favourable excursion of the losers, at least 0.
    """

    finished: int
    open: int
    win_rate_pct: float | None
    payoff_ratio: float | None
    break_even_win_rate_pct: float | None
    profit_factor: float | None
    mean_bars: float | None
    losing_streak: int
    winners_median_mae_pct: float | None
    losers_median_mfe_pct: float | None


class WindowFigures(DocumentPart):
    """Results of the test part of one walk-forward window; None where not defined.

    Attributes:
        index: Of the window.
        strategy_return_pct: Return of the strategy from its first to its last forecast bar.
        benchmark_return_pct: The same of the benchmark.
        strategy_sharpe: Sharpe ratio a year of the strategy over its test bars.
        benchmark_sharpe: The same of the benchmark.
        seed_sharpes: The same of each seed traded alone; empty where that is not known.
    """

    index: int
    strategy_return_pct: float | None
    benchmark_return_pct: float | None
    strategy_sharpe: float | None
    benchmark_sharpe: float | None
    seed_sharpes: tuple[float | None, ...] = ()


class WindowSummary(DocumentPart):
    """All windows together.

    Attributes:
        windows: How many there are.
        with_sharpe: In how many the strategy has a Sharpe ratio.
        above_zero: In how many it is above 0.
        above_benchmark: In how many it is above that of the benchmark.
        median_seed_range: Median over the windows of the highest less the lowest ratio of its
            seeds; None where fewer than two seeds are known in all of them.
    """

    windows: int
    with_sharpe: int
    above_zero: int
    above_benchmark: int
    median_seed_range: float | None


class CostPoint(DocumentPart):
    """The Sharpe ratio at one cost.

    Attributes:
        cost_bps: Fee and slippage of a fill.
        sharpe: Sharpe ratio a year; None where the returns do not vary.
    """

    cost_bps: float
    sharpe: float | None


class CostCurve(DocumentPart):
    """The sensitivity surface cut along the cost, at the strategy's own delay and threshold.

    Attributes:
        points: Ascending in cost.
        charged_bps: The cost that the run was charged.
        delay_bars: From decision to fill.
        break_even_bps: Cost at which the total return is 0, as in the section `fragility`.
        sharpe_lost_per_10_bps: From the cost charged to the highest one, what each 10 bps more
            take off the Sharpe ratio; None where that is not defined.
    """

    points: tuple[CostPoint, ...]
    charged_bps: float
    delay_bars: int
    break_even_bps: float | None
    sharpe_lost_per_10_bps: float | None


class SymbolBars(DocumentPart):
    """The bars of one symbol.

    Attributes:
        longest_gap_days: Days between the neighbouring bars that are furthest apart; None below
            two bars.
        missing_bars: Bars that the quality gate found to be missing; None where that is not known.
    """

    longest_gap_days: float | None
    missing_bars: int | None


class RegimeDefinition(DocumentPart):
    """How the states of the market are defined; all of them are known at the close.

    Attributes:
        volatility_window_bars: The volatility is that of so many bars,
        volatility_history_bars: and its state is its third among so many latest values at most.
        trend_window_bars: The trend is the sign of the mean return of so many bars.
    """

    volatility_window_bars: int
    volatility_history_bars: int
    trend_window_bars: int


class Analysis(Document):
    """`analysis.json`; a section is None where there is nothing to compute it from.

    "The benchmark" is buy and hold, where the run has it.

    Attributes:
        confidence: Level of every interval here.
        risk_free_rate: Of every Sharpe ratio, alpha and beta here; 0 in a file that does not have
            it.
        benchmark: The book that the strategy is compared with; None without it.
        regimes: How states of the market are defined.
        benchmark_regression: Beta and alpha; None without a benchmark or below 30 bars.
        distribution: Strategy and benchmark -> distribution of the returns of a bar; empty below
            two bars.
        histogram: The same returns in bins.
        tails: Strategy and benchmark -> how large losses and gains were.
        period_returns: Strategy and benchmark -> returns of months and years.
        rolling: Rolling figures in short; the series are in `series.parquet`.
        round_trips: The strategy's round trips; None where fills lack the equity they were
            made at.
        windows: Results of each window.
        window_summary: All windows together.
        attribution: Sources of the strategy's return.
        forecasts: Size, order and direction of the forecasts; None without a known outcome.
        cost_curve: Sharpe ratio over the cost; None without forecasts to trade on.
        bars: Symbol -> its bars.
        universe: The book of several symbols; None, and not in the file, with one.
    """

    confidence: float
    risk_free_rate: AnnualRate = AnnualRate()
    benchmark: str | None
    regimes: RegimeDefinition
    benchmark_regression: BenchmarkRegressionFigures | None
    distribution: Mapping[str, DistributionFigures]
    histogram: HistogramFigures | None
    tails: Mapping[str, TailCurves]
    period_returns: Mapping[str, PeriodReturns]
    rolling: RollingFigures
    round_trips: RoundTripFigures | None
    windows: tuple[WindowFigures, ...]
    window_summary: WindowSummary
    attribution: AttributionFigures
    forecasts: ForecastAnalysis | None
    cost_curve: CostCurve | None
    bars: Mapping[str, SymbolBars]
    universe: UniverseFigures | None = None
