"""Figures of every bar: growth, drawdown, and what the last bars were like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.metrics.period_returns import cumulative_growth, drawdown_pct
from engine.evaluation.metrics.return_metrics import finite_or_none
from engine.evaluation.metrics.rolling import (
    rolling_beta,
    rolling_sharpe,
    rolling_turnover,
    rolling_volatility,
    rolling_window_length,
)
from engine.runs.documents.analysis_returns import RollingFigures, SeriesRange
from engine.runs.run import BENCHMARK_BOOK

if TYPE_CHECKING:
    from engine.data.rates import RatesByBar

SERIES_COLUMNS = (
    *("timestamp", "book", "equity", "drawdown_pct", "rolling_sharpe"),
    *("rolling_volatility_pct", "rolling_beta", "rolling_turnover_per_year"),
)


def compute_series(
    returns: pd.DataFrame,
    rates: RatesByBar,
    strategy_trades: pd.DataFrame,
    periods_per_year: float,
) -> pd.DataFrame:
    """A row a bar and book, the books one after the other in the order of `returns`.

    Args:
        returns: Index timestamp, a column a book: net return of each bar; no NaN.
        rates: Interest rates on these bars: Sharpe ratio and beta are those of excess returns.
        strategy_trades: The strategy's fills.
        periods_per_year: Annualises.

    Returns:
        `SERIES_COLUMNS`, see `runs.run.RunAnalysis`.
    """
    window = rolling_window_length(len(returns), periods_per_year)
    wide = {
        "equity": cumulative_growth(returns),
        "drawdown_pct": drawdown_pct(returns),
        "rolling_sharpe": rolling_sharpe(
            returns, window=window, periods_per_year=periods_per_year, rates=rates
        ),
        "rolling_volatility_pct": 100.0
        * rolling_volatility(returns, window=window, periods_per_year=periods_per_year),
    }
    own: dict[str, pd.Series[float]] = {}
    excess = rates.excess(returns)
    if BENCHMARK_BOOK in returns:
        own["rolling_beta"] = rolling_beta(
            excess[STRATEGY_BOOK], excess[BENCHMARK_BOOK], window=window
        )
    if "equity" in strategy_trades:
        own["rolling_turnover_per_year"] = rolling_turnover(
            strategy_trades,
            pd.DatetimeIndex(returns.index),
            window=window,
            periods_per_year=periods_per_year,
        )
    blocks = []
    for book in returns.columns:
        figures = {name: table[book].to_numpy() for name, table in wide.items()}
        for name in ("rolling_beta", "rolling_turnover_per_year"):
            known = book == STRATEGY_BOOK and name in own
            figures[name] = own[name].to_numpy() if known else np.full(len(returns), np.nan)
        blocks.append(pd.DataFrame({"timestamp": returns.index, "book": str(book), **figures}))
    return pd.concat(blocks, ignore_index=True)[list(SERIES_COLUMNS)]


def summarise_rolling(
    series: pd.DataFrame, excess_returns: pd.DataFrame, periods_per_year: float
) -> RollingFigures:
    """The strategy's rolling figures in short.

    Args:
        series: As `compute_series` makes it.
        excess_returns: What it was made from.
        periods_per_year: Bars a year.
    """
    own = series[series["book"] == STRATEGY_BOOK]
    benchmark_last = beta_whole = None
    if BENCHMARK_BOOK in excess_returns:
        other = series.loc[series["book"] == BENCHMARK_BOOK, "rolling_volatility_pct"]
        benchmark_last = finite_or_none(other.iloc[-1])
        mine, held = excess_returns[STRATEGY_BOOK], excess_returns[BENCHMARK_BOOK]
        beta_whole = finite_or_none(rolling_beta(mine, held, window=len(mine)).iloc[-1])
    return RollingFigures(
        window_bars=rolling_window_length(len(excess_returns), periods_per_year),
        sharpe=_summarise(own["rolling_sharpe"]),
        volatility_pct=_summarise(own["rolling_volatility_pct"]),
        benchmark_volatility_last_pct=benchmark_last,
        beta=_summarise(own["rolling_beta"]),
        beta_whole_span=beta_whole,
        turnover_per_year=_summarise(own["rolling_turnover_per_year"]),
    )


def _summarise(values: pd.Series[float]) -> SeriesRange | None:
    known = values.dropna().to_numpy(dtype=np.float64)
    if not len(known):
        return None
    return SeriesRange(
        lowest=float(known.min()),
        highest=float(known.max()),
        last=float(known[-1]),
        positive_share=float((known > 0).mean()),
    )
