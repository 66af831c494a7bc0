"""Audits values in Python: returns, trades, positions or variants as pandas objects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from engine.auditing.audit import BENCHMARK_BOOK
from engine.auditing.backtest import AuditedBacktest
from engine.auditing.benchmark import align_books, compound, hold_bars
from engine.auditing.judge import AuditResult, AuditSettings, judge
from engine.auditing.readers import AuditedFile, read_matrix, read_positions, read_trades
from engine.auditing.readers.tidy import tidy_returns, to_utc
from engine.core.errors import UsageError
from engine.evaluation.verdict import BUY_AND_HOLD

_TIME = "timestamp"


def audit(  # noqa: PLR0913 - keyword arguments, one a part of the input
    *,
    returns: pd.Series[float] | None = None,
    trades: pd.DataFrame | None = None,
    positions: pd.DataFrame | pd.Series[float] | None = None,
    bars: pd.DataFrame | pd.Series[float] | None = None,
    benchmark: pd.Series[float] | None = None,
    variants: pd.DataFrame | None = None,
    tries: int | None = None,
    capital: float | None = None,
    cost_bps: float = 0.0,
    periods_per_year: float | None = None,
    confidence: float = 0.95,
    name: str = "Audit",
) -> AuditResult:
    """Judges a backtest that another tool made, by the tests and the grade of a run.

    One of returns, trades and positions is audited, or the best of the variants alone. Every
    index but that of trades is a DatetimeIndex, ascending; naive timestamps are taken as UTC.
    Values in the first rows may be NaN, and are left out.

    Args:
        returns: Net simple return of each bar.
        trades: A row a closed trade, with the columns of a tool that is known or `entry_time`,
            `exit_time`, and `pnl` or `return`.
        positions: A weight for each symbol, as a fraction of the equity, held from the close of
            its bar to the next one; needs `bars`.
        bars: Bars with a column `close`, or closes: holding them is the benchmark. For positions
            in several symbols a column of closes a symbol.
        benchmark: Returns of a benchmark, in place of holding the bars or beside it.
        variants: Returns of other variants on the same bars, a column each; each is a try.
        tries: Strategies that were tried, this one and the variants included.
        capital: Equity before the first trade.
        cost_bps: Cost of buying the bars, once, and of every change of a position.
        periods_per_year: Bars a year; None to infer them from the timestamps.
        confidence: Level of the intervals.
        name: Title.

    Raises:
        UsageError: None or several are to be audited, an index holds no timestamps, they repeat
            or are out of order, a later value is missing, or a return is below -1.
    """
    _require_one(returns=returns, trades=trades, positions=positions, variants=variants)
    closes = None if bars is None or positions is not None else _read_close(bars)
    if trades is not None:
        backtest = _read_trades(trades, capital, closes)
    elif positions is not None:
        backtest = _read_positions(positions, bars, cost_bps)
    elif returns is not None:
        backtest = AuditedBacktest("values in Python", _tidy(returns, "returns"))
    else:
        backtest = _read_variants(variants)
    if variants is not None and backtest.variants is None:
        backtest = _add_variants(backtest, variants)
    growth: dict[str, pd.Series[float]] = {}
    if backtest.held is not None:
        held = pd.Series(backtest.held.holding_returns(), index=backtest.returns.index)
        growth[BUY_AND_HOLD] = compound(held)
    elif closes is not None:
        growth[BUY_AND_HOLD] = hold_bars(closes, cost_bps)
    if benchmark is not None:
        growth[BENCHMARK_BOOK if growth else BUY_AND_HOLD] = compound(
            _tidy(benchmark, "benchmark")
        )
    settings = AuditSettings(
        name=name, tries=tries, periods_per_year=periods_per_year, confidence=confidence
    )
    return judge(backtest, align_books(backtest.returns, growth), settings)


def _require_one(**audited: object) -> None:
    """One of returns, trades and positions; or variants alone."""
    given = [name for name, value in audited.items() if value is not None and name != "variants"]
    if len(given) == 1 or (not given and audited["variants"] is not None):
        return
    raise UsageError(
        "there is nothing to audit" if not given else "one backtest is audited at a time",
        expected="returns, trades, positions or variants",
        found=", ".join(given) or "none of them",
        where="engine.audit",
        fix="give one of them; returns of other variants are `variants`",
    )


def _read_close(bars: pd.DataFrame | pd.Series[float]) -> pd.Series[float]:
    if isinstance(bars, pd.DataFrame) and "close" not in bars:
        raise UsageError(
            "the bars have no column of closes",
            expected="a column called close",
            found=", ".join(map(str, bars.columns))[:300],
            where="bars",
            fix="name the column close, or give the closes as a Series",
        )
    close = bars["close"] if isinstance(bars, pd.DataFrame) else bars
    return _tidy(close, "bars", is_price=True)


def _read_trades(
    trades: pd.DataFrame, capital: float | None, closes: pd.Series[float] | None
) -> AuditedBacktest:
    named = trades.set_axis([str(column) for column in trades.columns], axis=1)
    table = AuditedFile(Path("trades"), named.reset_index(drop=True))
    return read_trades(table).to_backtest(capital, closes)


def _read_positions(
    positions: pd.DataFrame | pd.Series[float],
    bars: pd.DataFrame | pd.Series[float] | None,
    cost_bps: float,
) -> AuditedBacktest:
    if bars is None:
        raise UsageError(
            "positions have no returns without bars",
            expected="the bars that were traded",
            found="no bars",
            where="bars",
            fix="give them: engine.audit(positions=positions, bars=bars)",
        )
    weights = _as_file(positions, "positions", "weight")
    return read_positions(weights, _as_file(bars, "bars", "close"), cost_bps)


def _read_variants(variants: pd.DataFrame | None) -> AuditedBacktest:
    # `_require_one` has checked that there are some.
    table = pd.DataFrame() if variants is None else variants
    return read_matrix(_as_file(table, "variants", ""), None, "returns")


def _as_file(values: pd.DataFrame | pd.Series[float], where: str, name: str) -> AuditedFile:
    """Values as the table of a file, their index a column."""
    frame = values.to_frame(name) if isinstance(values, pd.Series) else values
    stamps = to_utc(frame.index, where)
    columns = {str(column): frame[column].to_numpy() for column in frame.columns}
    return AuditedFile(Path(where), pd.DataFrame({_TIME: stamps, **columns}))


def _add_variants(backtest: AuditedBacktest, variants: pd.DataFrame) -> AuditedBacktest:
    """The backtest with variants as tries, which need a return at each of its bars."""
    tidied, notes = tidy_returns(to_utc(variants.index, "variants"), variants, "variants")
    others = tidied.reindex(backtest.returns.index)
    lacking = others.isna().any(axis=1)
    if lacking.any():
        raise UsageError(
            "the variants lack bars of the returns",
            expected="a return of every variant at every bar",
            found=f"{int(lacking.sum()):,} bars without one",
            where="variants",
            fix="export all variants over the same bars",
        )
    return replace(backtest, variants=others, notes=(*backtest.notes, *notes))


def _tidy(values: pd.Series[float], where: str, *, is_price: bool = False) -> pd.Series[float]:
    tidied, _ = tidy_returns(to_utc(values.index, where), values, where)
    column = tidied.iloc[:, 0].astype("float64")
    lowest = float(column.min())
    if lowest <= 0.0 if is_price else lowest < -1.0:
        raise UsageError(
            "a price is not above 0" if is_price else "a return is below -100 %",
            expected="closes above 0" if is_price else "simple returns, at least -1",
            found=f"{lowest:g} at {column.idxmin()}",
            where=where,
            fix="correct the values",
        )
    return column
