"""Returns or an equity curve as CSV or Parquet: pandas, quantstats, pyfolio and others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from engine.auditing.backtest import AuditedBacktest
from engine.auditing.readers._cells import (
    find_column,
    find_time_column,
    normalise,
    numeric_columns,
    read_numbers,
    read_stamps,
)
from engine.auditing.readers.tidy import tidy_returns
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.auditing.readers._content import AuditedFile

ValueKind = Literal["auto", "returns", "percent", "equity"]
VALUE_KINDS: tuple[str, ...] = get_args(ValueKind)

RETURN_NAMES = frozenset(
    {
        *("return", "returns", "ret", "rets", "strategy", "strategy_return", "strategy_returns"),
        *("net_return", "net_returns", "daily_return", "daily_returns", "portfolio_return"),
        *("portfolio_returns", "algorithm_returns", "simple_return", "simple_returns"),
    }
)
EQUITY_NAMES = frozenset(
    {
        *("equity", "nav", "portfolio_value", "account_value", "net_liquidation", "net_worth"),
        *("equity_curve", "total_equity", "balance", "value", "strategy_equity"),
        *("cumulative_equity", "growth", "wealth"),
    }
)
_MOST = 0.5
_LOWEST_LEVEL = 0.2
"""Values that are all above it are levels of an equity, not returns."""


def read_returns(
    file: AuditedFile, column: str | None = None, kind: ValueKind = "auto"
) -> AuditedBacktest:
    """Reads one column of returns, or of an equity whose changes they are.

    Args:
        file: The table.
        column: The column; None to choose it by its name, or because it is the only one.
        kind: What its values are; `auto` by name and size, with an error where that is not clear.

    Raises:
        UsageError: No column, or several, can be meant; a cell is no number; a value is missing;
            timestamps repeat; values are not simple returns.
    """
    time = find_time_column(file)
    chosen = choose_column(file, time, column)
    numbers, notes = read_numbers(file, chosen)
    tidy, more = tidy_returns(read_stamps(file, time), numbers, str(file.path))
    returns, how = to_returns(tidy.iloc[:, 0], chosen, kind, str(file.path))
    return AuditedBacktest("returns", returns, notes=(*notes, *more, *how))


def read_matrix(
    file: AuditedFile, column: str | None = None, kind: ValueKind = "auto"
) -> AuditedBacktest:
    """Reads a column a variant; the audited one is `column`, the others are tries.

    Args:
        file: The table.
        column: The audited variant; None for the one with the highest Sharpe ratio, with a note.
        kind: What all values are.

    Raises:
        UsageError: Fewer than two columns have numbers, or as for `read_returns`.
    """
    time = find_time_column(file)
    names = numeric_columns(file, time)
    if len(names) < 2:
        raise UsageError(
            "a matrix needs a column for each variant",
            expected="a column of dates and two or more columns of returns",
            found=file.describe(),
            where=str(file.path),
            fix="audit a single strategy with `backtest audit returns`",
        )
    if column is not None:
        choose_column(file, time, column)
    read = {name: read_numbers(file, name) for name in names}
    notes = tuple(dict.fromkeys(note for _, more in read.values() for note in more))
    table = pd.DataFrame({name: numbers for name, (numbers, _) in read.items()})
    tidy, more = tidy_returns(read_stamps(file, time), table, str(file.path))
    converted = {name: to_returns(tidy[name], name, kind, str(file.path)) for name in names}
    every = pd.DataFrame({name: returns for name, (returns, _) in converted.items()})
    how = tuple(dict.fromkeys(note for _, extra in converted.values() for note in extra))
    own = column or _find_best(every)
    if column is None:
        notes += (f"{own} is audited, the best of {len(names)} variants by its Sharpe ratio",)
    return AuditedBacktest(
        "matrix", every[own], variants=every.drop(columns=own), notes=(*notes, *more, *how)
    )


def _find_best(returns: pd.DataFrame) -> str:
    values = returns.to_numpy(dtype=np.float64)
    spread = values.std(axis=0)
    ratios = np.divide(values.mean(axis=0), spread, out=np.zeros(len(spread)), where=spread > 0)
    return str(returns.columns[int(ratios.argmax())])


def choose_column(file: AuditedFile, time: str, column: str | None) -> str:
    """The column of values: the one that is named, the only one, or the one of a known name.

    Raises:
        UsageError: There is none, or none of several has a known name.
    """
    names = numeric_columns(file, time)
    if column is not None and column in names:
        return column
    known = find_column(file, RETURN_NAMES) or find_column(file, EQUITY_NAMES)
    if column is None and len(names) == 1:
        return names[0]
    if column is None and known in names:
        return str(known)
    raise UsageError(
        "the column of returns cannot be told" if column is None else f"no column {column}",
        expected="one column of numbers, or one called returns or equity",
        found=file.describe(),
        where=str(file.path),
        fix=_suggest(names),
    )


def _suggest(names: Sequence[str]) -> str:
    if not names:
        return "write a column of returns beside the dates"
    return f"name it: --column {' or --column '.join(names[:6])}"


def to_returns(
    values: pd.Series[float], column: str, kind: ValueKind, path: str
) -> tuple[pd.Series[float], tuple[str, ...]]:
    """Simple returns of a column of returns, per cent or equity.

    Raises:
        UsageError: `auto` cannot tell what the values are, an equity is not above 0, or a return
            is below -1.
    """
    found = _tell_kind(values, column, path) if kind == "auto" else kind
    notes: tuple[str, ...] = ()
    if found == "equity":
        _require_positive(values, column, path)
        returns = (values / values.shift(1) - 1.0).iloc[1:]
        notes = (f"returns are the changes of the column {column or '(no name)'}, an equity",)
    else:
        returns = values / 100.0 if found == "percent" else values
    lowest = float(returns.min())
    if lowest < -1.0:
        raise UsageError(
            "a return is below -100 %",
            expected="simple returns, at least -1",
            found=f"{lowest:g} at {returns.idxmin()}",
            where=path,
            fix="if the values are per cent, add --values percent; if they are money or an "
            "equity, export the equity curve and add --values equity",
        )
    return returns.astype("float64"), notes


def _tell_kind(values: pd.Series[float], column: str, path: str) -> ValueKind:
    """Returns or equity, by the name and the size of the values."""
    named = normalise(column)
    if named in EQUITY_NAMES:
        return "equity"
    array = values.to_numpy(dtype=np.float64)
    above = float(np.mean(np.abs(array) > 1.0))
    levels = bool((array > _LOWEST_LEVEL).all())
    if not levels and above <= _MOST:
        return "returns"
    share = f"{above:.0%} of the values are above 1 in size".replace("%", " %")
    raise UsageError(
        "the values are not simple returns",
        expected="fractions such as 0.01 for 1 %",
        found="all values are positive, as those of an equity curve" if levels else share,
        where=f"{path}, column {column or '(no name)'}",
        fix="if they are an equity curve, add --values equity; if they are per cent, "
        "--values percent; if they are returns all the same, --values returns",
    )


def _require_positive(values: pd.Series[float], column: str, path: str) -> None:
    if (values <= 0).any():
        raise UsageError(
            "an equity is not above 0",
            expected="the value of the account, above 0 at every bar",
            found=f"{float(values.min()):g} at {values.idxmin()}",
            where=f"{path}, column {column}",
            fix="a profit without its capital is no equity: add the starting capital to it",
        )
