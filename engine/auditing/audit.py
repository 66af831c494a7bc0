"""Audits files: read, align with benchmarks, judge."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

import pandas as pd

from engine.auditing.backtest import AuditedBacktest
from engine.auditing.benchmark import align_books, compound, hold_bars
from engine.auditing.judge import AuditResult, AuditSettings, judge
from engine.auditing.readers import (
    EXPORT_FORMATS,
    TRADE_FORMATS,
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
from engine.core.errors import UsageError
from engine.core.read_file import open_regular
from engine.evaluation.verdict import BUY_AND_HOLD

if TYPE_CHECKING:
    from pathlib import Path

    from engine.auditing.closed_trades import ClosedTrades

AuditKind = Literal["returns", "trades", "positions", "matrix"]

BENCHMARK_BOOK = "benchmark"
_BLOCK_BYTES = 1 << 20

FILE_FORMATS = ("auto", "table", *dict.fromkeys((*TRADE_FORMATS, *EXPORT_FORMATS)))
"""Formats of returns and trades: `auto` to tell it, `table` for a table of returns."""

_ACCOUNTS = frozenset({"lean", "metatrader"})
"""Formats that have an equity and no trades."""


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
        format_name: One of `FILE_FORMATS`, which the file has to be.
    """

    column: str | None = None
    values: str = "auto"
    dates: str | None = None
    benchmark: Path | None = None
    bars: Path | None = None
    cost_bps: float = 0.0
    capital: float | None = None
    format_name: str = "auto"


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
    name = _require_format(options.format_name, kind)
    exported = _read_export(path, name) if kind in {"returns", "trades"} else None
    if isinstance(exported, AuditedBacktest):
        return exported
    file = None if exported else open_table(path, options.dates)
    if file is None or kind == "trades":
        close = read_close(bars) if bars else None
        trades = exported or read_trades(cast("AuditedFile", file), name)
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


def _read_export(path: Path, name: str) -> AuditedBacktest | ClosedTrades | None:
    """The file where it is no table; None where it is one, and may be."""
    if name not in {"auto", *EXPORT_FORMATS}:
        return None
    exported = read_export(path, name)
    if exported is None and name in _ACCOUNTS:
        raise UsageError(
            f"this is no result of {name}",
            expected="JSON of Lean" if name == "lean" else "HTML of MetaTrader 5",
            found="a file of another kind",
            where=str(path),
            fix="leave --format out to have the format told",
        )
    return exported


def _require_format(name: str, kind: AuditKind) -> str:
    """The format in small letters, if this kind of result has it."""
    chosen = name.lower()
    known = tuple(
        each
        for each in FILE_FORMATS
        if each not in ({"table"} if kind == "trades" else set(TRADE_FORMATS) - {"freqtrade"})
    )
    if chosen not in known:
        raise UsageError(
            f"--format is none of {kind}",
            expected=", ".join(known),
            found=name,
            where="--format",
            fix="leave it out to have it told from the file",
        )
    return chosen


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
        growth[BUY_AND_HOLD] = compound(pd.Series(held, index=backtest.returns.index))
    elif options.bars is not None:
        close = read_close(open_table(options.bars, options.dates))
        growth[BUY_AND_HOLD] = hold_bars(close, options.cost_bps)
    if options.benchmark is not None:
        read = read_returns(open_table(options.benchmark, options.dates))
        growth[BENCHMARK_BOOK if growth else BUY_AND_HOLD] = compound(read.returns)
    return growth
