"""`analysis.json` and its tables, from the other files of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.analysis.attribution import attribute_run, strategy_contributions
from engine.evaluation.analysis.forecasts import analyse_forecasts
from engine.evaluation.analysis.regimes import MarketStates
from engine.evaluation.analysis.returns import (
    bin_returns,
    compound_periods,
    describe_distributions,
    regress_on_benchmark,
    trace_tails,
)
from engine.evaluation.analysis.series import compute_series, summarise_rolling
from engine.evaluation.analysis.universe import analyse_universe
from engine.evaluation.analysis.windows import analyse_windows, summarise_windows
from engine.evaluation.forecasts.scores import average_over_seeds
from engine.evaluation.metrics.market_regimes import (
    MAX_HISTORY,
    TREND_WINDOW,
    VOLATILITY_WINDOW,
)
from engine.evaluation.metrics.round_trips import (
    ROUND_TRIP_COLUMNS,
    round_trip_table,
    summarise_round_trips,
)
from engine.runs.documents import Analysis
from engine.runs.documents.analysis import (
    CostCurve,
    CostPoint,
    RegimeDefinition,
    RoundTripFigures,
    SymbolBars,
)
from engine.runs.run import BENCHMARK_BOOK, Run, RunAnalysis

if TYPE_CHECKING:
    from pathlib import Path

    from engine.runs.documents.significance_models import SensitivityFigures

_COST_STEP_BPS = 10.0


def open_run(run_dir: Path | str) -> Run:
    """Reads a run folder back; what an older folder lacks of the analysis is computed.

    Raises:
        UsageError: As `Run.open`.
    """
    return with_analysis(Run.open(run_dir))


def with_analysis(run: Run) -> Run:
    """The run with its analysis; as it is where it has one already."""
    return run if run.analysis_files else replace(run, analysis_files=analyse_run(run))


def analyse_run(run: Run) -> RunAnalysis:
    """Every figure and series that the pages of a run show, from its tables and documents."""
    fills = run.trades[run.trades["book"] == STRATEGY_BOOK]
    periods = run.metrics.span.periods_per_year
    confidence = run.significance.method.confidence
    series = compute_series(run.returns, run.rates_by_bar, fills, periods)
    trips = _round_trips(run, fills)
    forecasts = average_over_seeds(run.predictions, run.horizon)
    windows = analyse_windows(run)
    contributions = strategy_contributions(run)
    states = MarketStates.of_run(run)
    universe = analyse_universe(run, contributions, forecasts)
    document = Analysis(
        confidence=confidence,
        risk_free_rate=run.metrics.risk_free_rate,
        benchmark=BENCHMARK_BOOK if BENCHMARK_BOOK in run.returns else None,
        regimes=RegimeDefinition(
            volatility_window_bars=VOLATILITY_WINDOW,
            volatility_history_bars=MAX_HISTORY,
            trend_window_bars=TREND_WINDOW,
        ),
        benchmark_regression=regress_on_benchmark(run.excess_returns, periods, confidence),
        distribution=describe_distributions(run.returns),
        histogram=bin_returns(run.returns),
        tails=trace_tails(run.returns),
        period_returns=compound_periods(run.returns),
        rolling=summarise_rolling(series, run.excess_returns, periods),
        round_trips=None if trips is None else _summarise_trips(trips),
        windows=windows,
        window_summary=summarise_windows(windows),
        attribution=attribute_run(run, contributions, states),
        forecasts=analyse_forecasts(run, forecasts, confidence, states),
        cost_curve=_cost_curve(run.significance.sensitivity),
        bars=_symbol_bars(run),
        **({} if universe is None else {"universe": universe.figures}),
    )
    if trips is None:
        trips = pd.DataFrame(columns=list(ROUND_TRIP_COLUMNS))
    return RunAnalysis(
        document, series, trips, forecasts, None if universe is None else universe.series
    )


def _round_trips(run: Run, fills: pd.DataFrame) -> pd.DataFrame | None:
    """None where fills lack the equity they were made at, as those of early versions do."""
    if "equity" not in run.trades:
        return None
    return round_trip_table(
        fills,
        run.bars,
        pd.DatetimeIndex(run.returns.index),
        fill_price="close" if run.manifest.settings.fill_price == "close" else "open",
    )


def _summarise_trips(trips: pd.DataFrame) -> RoundTripFigures:
    summary = summarise_round_trips(trips)
    finished = trips[~trips["open"]]
    won = finished[finished["pnl_pct"] > 0]
    lost = finished[~(finished["pnl_pct"] > 0)]
    payoff = summary.payoff_ratio
    return RoundTripFigures(
        finished=summary.finished,
        open=summary.open,
        win_rate_pct=None if summary.win_rate is None else 100.0 * summary.win_rate,
        payoff_ratio=payoff,
        break_even_win_rate_pct=None if payoff is None else 100.0 / (1.0 + payoff),
        profit_factor=summary.profit_factor,
        mean_bars=summary.mean_bars,
        losing_streak=summary.losing_streak,
        winners_median_mae_pct=float(won["mae_pct"].median()) if len(won) else None,
        losers_median_mfe_pct=float(lost["mfe_pct"].median()) if len(lost) else None,
    )


def _cost_curve(surface: SensitivityFigures | None) -> CostCurve | None:
    if surface is None:
        return None
    chosen = surface.chosen
    delay = surface.delay_bars.index(chosen.delay_bars)
    entry = surface.threshold.index(chosen.threshold)
    points = tuple(
        CostPoint(cost_bps=cost, sharpe=sheet[delay][entry])
        for cost, sheet in zip(surface.cost_bps, surface.sharpe, strict=True)
    )
    lost = None
    highest = points[-1]
    if (
        chosen.sharpe is not None
        and highest.sharpe is not None
        and highest.cost_bps > chosen.cost_bps
    ):
        slope = (chosen.sharpe - highest.sharpe) / (highest.cost_bps - chosen.cost_bps)
        lost = _COST_STEP_BPS * slope
    return CostCurve(
        points=points,
        charged_bps=chosen.cost_bps,
        delay_bars=chosen.delay_bars,
        break_even_bps=surface.break_even_cost_bps,
        sharpe_lost_per_10_bps=lost,
    )


def _symbol_bars(run: Run) -> dict[str, SymbolBars]:
    quality = run.manifest.dataset.quality
    figures = {}
    times = dict(iter(run.bars.groupby("symbol", sort=False)["timestamp"]))
    for symbol in run.manifest.dataset.symbols:
        stamps = times.get(symbol, run.bars["timestamp"].iloc[:0])
        missing = None
        if quality is not None and "findings" in quality:
            missing = sum(
                finding.count
                for finding in quality.findings
                if (finding.rule, finding.symbol) == ("gaps", symbol)
            )
        figures[symbol] = SymbolBars(
            longest_gap_days=_longest_gap_days(stamps), missing_bars=missing
        )
    return figures


def _longest_gap_days(stamps: pd.Series[pd.Timestamp]) -> float | None:
    """Days between the neighbouring bars that are furthest apart; None below two bars."""
    longest = stamps.sort_values().diff().max()
    return None if longest is None or longest != longest else longest.total_seconds() / 86_400
