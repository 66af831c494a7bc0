"""What the books were like lately, bar by bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.rolling import (
    rolling_bars,
    rolling_beta,
    rolling_sharpe,
    rolling_turnover,
    rolling_volatility,
)
from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, STRATEGY, Book, books_of
from engine.reporting.charts.rolling import Rolled, rolling_chart
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from engine.artifacts import Run
    from engine.reporting.charts.drawing import Chart
    from engine.reporting.formatting import Unit

NO_LINE = "No line: not enough bars yet"


def rolling(run: Run) -> Section:
    """Figures of the last bars at each bar, over one length of window."""
    books = books_of(run)
    periods = run.metrics["span"]["periods_per_year"]
    window = rolling_bars(len(run.returns), periods)
    charts: list[tuple[Chart, tuple[Book, ...]]] = [
        (_sharpe(run, books, window, periods), books),
        (_volatility(run, books, window, periods), books),
    ]
    if BUY_AND_HOLD in run.returns:
        charts.append((_beta(run, window), ()))
    if "equity" in run.trades:
        charts.append((_turnover(run, window, periods), ()))
    return Section("rolling", "Rolling figures", {"charts": charts})


def _sharpe(run: Run, books: tuple[Book, ...], window: int, periods: float) -> Chart:
    table = rolling_sharpe(run.returns, window=window, periods_per_year=periods)
    mine = table[STRATEGY].dropna()
    finding = (
        f"The strategy's was above zero at {formatting.PERCENT(100 * float((mine > 0).mean()))} "
        f"of the bars that have one. It went from {_range(mine, formatting.SIGNED_RATIO)}."
        if len(mine)
        else "The strategy has none: too few bars, or it never held anything."
    )
    return rolling_chart(
        table,
        books,
        Rolled(
            key="rolling-sharpe",
            title="Rolling Sharpe ratio",
            finding=finding,
            says=f"Annualised Sharpe ratio of {_last(window)}. {NO_LINE}, or none held.",
            label="Sharpe ratio",
            unit=formatting.RATIO,
            reference=0.0,
        ),
    )


def _volatility(run: Run, books: tuple[Book, ...], window: int, periods: float) -> Chart:
    table = 100.0 * rolling_volatility(run.returns, window=window, periods_per_year=periods)
    mine = table[STRATEGY].dropna()
    finding = (
        f"The strategy's went from {_range(mine, formatting.PERCENT)}."
        if len(mine)
        else "Too few bars to have one."
    )
    if BUY_AND_HOLD in table and len(mine):
        theirs = float(table[BUY_AND_HOLD].iloc[-1])
        finding = f"{finding[:-1]}, when holding's was {formatting.PERCENT(theirs)}."
    return rolling_chart(
        table,
        books,
        Rolled(
            key="rolling-volatility",
            title="Rolling volatility",
            finding=finding,
            says=f"Annualised standard deviation of the returns of {_last(window)}. {NO_LINE}.",
            label="per cent a year",
            unit=formatting.PERCENT,
            reference=0.0,
        ),
    )


def _beta(run: Run, window: int) -> Chart:
    mine, held = run.returns[STRATEGY], run.returns[BUY_AND_HOLD]
    beta = rolling_beta(mine, held, window=window)
    whole = float(rolling_beta(mine, held, window=len(mine)).iloc[-1])
    return rolling_chart(
        beta.to_frame(STRATEGY),
        (_only(run),),
        Rolled(
            key="rolling-beta",
            title="Rolling beta against holding",
            finding=(
                f"Over the whole span the strategy moved {formatting.RATIO(whole)} per cent with "
                f"each per cent of holding. Its beta of {formatting.BARS(window)} went from "
                f"{_range(beta.dropna(), formatting.RATIO)}."
            ),
            says=(
                "Slope of the strategy's returns on those of buy and hold over "
                f"{_last(window)}: 0 moves on its own, 1 as holding does. {NO_LINE}."
            ),
            label="beta",
            unit=formatting.RATIO,
            reference=0.0,
        ),
    )


def _turnover(run: Run, window: int, periods: float) -> Chart:
    fills = run.trades[run.trades["book"] == STRATEGY]
    index = pd.DatetimeIndex(run.returns.index)
    traded = rolling_turnover(fills, index, window=window, periods_per_year=periods)
    whole = run.metrics["books"][STRATEGY].get("turnover_per_year")
    return rolling_chart(
        traded.to_frame(STRATEGY),
        (_only(run),),
        Rolled(
            key="rolling-turnover",
            title="Rolling turnover",
            finding=(
                f"Over the whole span the strategy traded {formatting.RATIO(whole)} times its "
                f"equity a year. Over {formatting.BARS(window)} it went from "
                f"{_range(traded.dropna(), formatting.RATIO)}."
            ),
            says=(
                f"Value the strategy traded in {_last(window)}, as multiples of its equity a "
                f"year; in and out again once a year is 2. {NO_LINE}."
            ),
            label="times a year",
            unit=formatting.TIMES_A_YEAR,
            reference=0.0,
        ),
    )


def _last(window: int) -> str:
    return f"the last {formatting.BARS(window)}, this one included"


def _range(values: pd.Series[float], unit: Unit) -> str:
    """Lowest to highest and the last one."""
    known = values.to_numpy(dtype=np.float64)
    if not len(known):
        return formatting.MISSING
    spread = unit.interval(float(known.min()), float(known.max()))
    return f"{spread}, and was {unit(float(known[-1]))} at the end"


def _only(run: Run) -> Book:
    return next(book for book in books_of(run) if book.key == STRATEGY)
