"""Audits files and values: read, align with benchmarks, judge."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

import pandas as pd

from engine.auditing.backtest import AuditedBacktest
from engine.auditing.benchmark import align_books, hold_bars
from engine.auditing.judge import AuditResult, AuditSettings, judge
from engine.auditing.readers import (
    VALUE_KINDS,
    AuditedFile,
    ValueKind,
    open_table,
    read_close,
    read_export,
    read_matrix,
    read_positions,
    read_returns,
    read_trades,
)
from engine.auditing.readers import read_bars as read_bar_table
from engine.auditing.readers.tidy import tidy_returns, to_utc
from engine.core.errors import UsageError
from engine.core.read_file import open_regular
from engine.evaluation.verdict import BUY_AND_HOLD

if TYPE_CHECKING:
    from pathlib import Path

AuditKind = Literal["returns", "trades", "positions", "matrix"]

_BENCHMARK = "benchmark"
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class AuditOptions:
    """How files are read and compared.

    Attributes:
        column: Column of the returns, or the audited variant; None to choose it.
        values: What the values are, one of `VALUE_KINDS`.
        dates: How dates are written: `day_first`, `month_first` or a format of strptime.
        benchmark: File of returns or of an equity that is compared with.
        bars: File of bars whose closes are held.
        cost_bps: Cost of buying the bars, once, and of every change of a position.
        capital: Equity before the first trade; None for what the file says.
    """

    column: str | None = None
    values: str = "auto"
    dates: str | None = None
    benchmark: Path | None = None
    bars: Path | None = None
    cost_bps: float = 0.0
    capital: float | None = None


def audit_file(
    kind: AuditKind, path: Path, options: AuditOptions, settings: AuditSettings
) -> AuditResult:
    """Audits a file.

    Args:
        kind: What the file holds.
        path: The file.
        options: How it is read.
        settings: Tries, level and names; the file's own name and hash are added.

    Raises:
        UsageError: The file cannot be understood; see the readers.
        InvalidBarsError: It is damaged, or of a kind that is not read.
    """
    backtest = _read_backtest(kind, path, options)
    growth = _read_growth(options, backtest)
    named = replace(
        settings,
        name=settings.name or path.stem,
        file=path.name,
        sha256=_hash(path),
    )
    return judge(backtest, align_books(backtest.returns, growth), named)


def _hash(path: Path) -> str:
    """SHA-256 of the bytes of a file, in hex digits."""
    digest = hashlib.sha256()
    with open_regular(path, "a result of a backtest") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _read_backtest(kind: AuditKind, path: Path, options: AuditOptions) -> AuditedBacktest:
    bars = options.bars and open_table(options.bars, options.dates)
    exported = read_export(path) if kind in {"returns", "trades"} else None
    if isinstance(exported, AuditedBacktest):
        return exported
    file = None if exported else open_table(path, options.dates)
    if file is None or kind == "trades":
        close = read_close(bars) if bars else None
        trades = exported or read_trades(cast("AuditedFile", file))
        return trades.to_backtest(options.capital, close)
    if kind == "positions":
        if not bars:
            raise UsageError(
                "positions have no returns without bars",
                expected="the bars that were traded",
                found="no --bars",
                where=str(path),
                fix="add --bars FILE",
            )
        return read_positions(file, bars, options.cost_bps)
    read = {"returns": read_returns, "matrix": read_matrix}[kind]
    return read(file, options.column, _require_kind(options.values))


def _require_kind(values: str) -> ValueKind:
    if values not in VALUE_KINDS:
        raise UsageError(
            "--values is no kind of value",
            expected=", ".join(VALUE_KINDS),
            found=values,
            where="--values",
            fix="leave it out to have it told from the name and the size of the values",
        )
    return cast("ValueKind", values)


def read_bars(path: Path, dates: str | None = None) -> pd.DataFrame:
    """The bars of a file: index of UTC timestamps, every column of numbers in small letters.

    Raises:
        UsageError: The file has no dates or numbers.
        InvalidBarsError: It is damaged, or of a kind that is not read.
    """
    return read_bar_table(open_table(path, dates))


def _read_growth(options: AuditOptions, backtest: AuditedBacktest) -> dict[str, pd.Series[float]]:
    growth: dict[str, pd.Series[float]] = {}
    if backtest.held is not None:
        held = backtest.held.holding_returns()
        growth[BUY_AND_HOLD] = _compound(pd.Series(held, index=backtest.returns.index))
    elif options.bars is not None:
        close = read_close(open_table(options.bars, options.dates))
        growth[BUY_AND_HOLD] = hold_bars(close, options.cost_bps)
    if options.benchmark is not None:
        read = read_returns(open_table(options.benchmark, options.dates))
        growth[_BENCHMARK if growth else BUY_AND_HOLD] = _compound(read.returns)
    return growth


def audit(  # noqa: PLR0913 - keyword arguments, one a part of the input
    *,
    returns: pd.Series[float],
    bars: pd.DataFrame | pd.Series[float] | None = None,
    benchmark: pd.Series[float] | None = None,
    variants: pd.DataFrame | None = None,
    tries: int | None = None,
    cost_bps: float = 0.0,
    periods_per_year: float | None = None,
    confidence: float = 0.95,
    name: str = "Audit",
) -> AuditResult:
    """Judges a backtest that another tool made, by the tests and the grade of a run.

    Every index is a DatetimeIndex, ascending; naive timestamps are taken as UTC. Values in the
    first rows may be NaN, and are left out.

    Args:
        returns: Net simple return of each bar.
        bars: Bars with a column `close`, or closes: holding them is the benchmark.
        benchmark: Returns of a benchmark, in place of holding the bars or beside it.
        variants: Returns of other variants on the same bars, a column each; each is a try.
        tries: Strategies that were tried, this one and the variants included.
        cost_bps: Cost of buying the bars, once.
        periods_per_year: Bars a year; None to infer them from the timestamps.
        confidence: Level of the intervals.
        name: Title.

    Raises:
        UsageError: An index holds no timestamps, they repeat or are out of order, a later value
            is missing, or a return is below -1.
    """
    own = _tidy(returns, "returns")
    notes: tuple[str, ...] = ()
    others = None
    if variants is not None:
        tidied, notes = tidy_returns(to_utc(variants.index, "variants"), variants, "variants")
        others = tidied.reindex(own.index)
        if others.isna().to_numpy().any():
            raise UsageError(
                "the variants lack bars of the returns",
                expected="a return of every variant at every bar",
                found=f"{int(others.isna().any(axis=1).sum()):,} bars without one",
                where="variants",
                fix="export all variants over the same bars",
            )
    growth: dict[str, pd.Series[float]] = {}
    if bars is not None:
        close = bars["close"] if isinstance(bars, pd.DataFrame) else bars
        growth[BUY_AND_HOLD] = hold_bars(_tidy(close, "bars", is_price=True), cost_bps)
    if benchmark is not None:
        growth[_BENCHMARK if growth else BUY_AND_HOLD] = _compound(_tidy(benchmark, "benchmark"))
    backtest = AuditedBacktest("values in Python", own, variants=others, notes=notes)
    settings = AuditSettings(
        name=name, tries=tries, periods_per_year=periods_per_year, confidence=confidence
    )
    return judge(backtest, align_books(own, growth), settings)


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


def _compound(returns: pd.Series[float]) -> pd.Series[float]:
    """Growth at each bar, and 1 a bar before the first."""
    growth = (1.0 + returns).cumprod()
    before = growth.index[0] - (growth.index[1] - growth.index[0])
    return pd.concat([pd.Series([1.0], index=pd.DatetimeIndex([before])), growth])
