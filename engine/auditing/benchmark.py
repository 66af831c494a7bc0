"""The benchmarks of an audit: holding the bars, or returns that a file has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.evaluation.verdict import BUY_AND_HOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIN_SHARED = 0.9
"""Share of the strategy's bars that a benchmark needs."""

_BPS = 1e-4


@dataclass(frozen=True, eq=False)
class AlignedBooks:
    """The audited strategy and its benchmarks on the bars that all of them have.

    Attributes:
        returns: Index timestamp, a column a book, the strategy first; no NaN.
        notes: How they were aligned.
    """

    returns: pd.DataFrame
    notes: tuple[str, ...] = ()


def hold_bars(close: pd.Series[float], cost_bps: float) -> pd.Series[float]:
    """Growth of 1 that is invested at the first close and held.

    Args:
        close: Index UTC timestamp, ascending; above 0.
        cost_bps: Paid once, at the first close.
    """
    growth = close / float(close.iloc[0])
    growth.iloc[1:] *= 1.0 - cost_bps * _BPS
    return growth


def compound(returns: pd.Series[float]) -> pd.Series[float]:
    """Growth at each bar, and 1 a bar before the first."""
    growth = (1.0 + returns).cumprod()
    before = growth.index[0] - (growth.index[1] - growth.index[0])
    return pd.concat([pd.Series([1.0], index=pd.DatetimeIndex([before])), growth])


def align_books(
    strategy: pd.Series[float], growth_by_name: Mapping[str, pd.Series[float]]
) -> AlignedBooks:
    """The books on common bars; a bar that one of them lacks joins the next common one.

    Bars are matched by their timestamps, or by their days where both have one bar a day.

    Args:
        strategy: Net returns of the audited strategy.
        growth_by_name: Benchmark -> growth at each of its bars. Its return at the first common
            bar is known only where it has an earlier one.

    Raises:
        UsageError: A benchmark has fewer than 90 % of the strategy's bars.
    """
    if not growth_by_name:
        return AlignedBooks(strategy.to_frame(STRATEGY_BOOK))
    own = (1.0 + strategy).cumprod()
    shared = np.ones(len(own), dtype=bool)
    columns = {STRATEGY_BOOK: own}
    for name, growth in growth_by_name.items():
        keys, theirs = _matching_keys(own.index, growth)
        columns[name] = theirs.reindex(keys).set_axis(own.index)
        found = columns[name].notna().to_numpy()
        if found.mean() < _MIN_SHARED:
            raise _few_shared_error(name, own.index, theirs.index, int(found.sum()))
        shared &= found
    table = pd.DataFrame(columns)[shared]
    returns = table / table.shift(1) - 1.0
    _fill_first(returns, table, growth_by_name, strategy)
    known = returns.notna().all(axis=1)
    left_out = len(own) - int(known.sum())
    notes = (
        f"{left_out:,} of {len(own):,} bars that a benchmark lacks are left out"
        if left_out > 1
        else "the first bar is left out, whose benchmark return is not known",
    )
    return AlignedBooks(returns[known], notes if left_out else ())


def _matching_keys(
    stamps: pd.Index, growth: pd.Series[float]
) -> tuple[pd.DatetimeIndex, pd.Series[float]]:
    """The strategy's timestamps and the benchmark by the same keys: days where both are daily."""
    own, theirs = pd.DatetimeIndex(stamps), pd.DatetimeIndex(growth.index)
    days, their_days = own.normalize(), theirs.normalize()
    if days.is_unique and their_days.is_unique:
        return days, growth.set_axis(their_days)
    return own, growth


def _fill_first(
    returns: pd.DataFrame,
    table: pd.DataFrame,
    growth_by_name: Mapping[str, pd.Series[float]],
    strategy: pd.Series[float],
) -> None:
    """The returns of the first common bar, where benchmarks have the bar before it."""
    first = table.index[0]
    if first != strategy.index[0]:
        return
    returns.loc[first, STRATEGY_BOOK] = strategy.iloc[0]
    for name, growth in growth_by_name.items():
        place = int(growth.index.searchsorted(first, side="right")) - 1
        if place > 0 and growth.iloc[place] == table[name].iloc[0]:
            returns.loc[first, name] = growth.iloc[place] / growth.iloc[place - 1] - 1.0


def _few_shared_error(name: str, own: pd.Index, theirs: pd.Index, found: int) -> UsageError:
    return UsageError(
        f"the {name.replace('_', ' ')} lacks bars of the strategy",
        expected=f"at least {_MIN_SHARED:.0%} of the {len(own):,} bars".replace("%", " %"),
        found=f"{found:,}; the strategy's bars are {own[0]} to {own[-1]}, the benchmark's "
        f"{theirs[0]} to {theirs[-1]}",
        where="--benchmark" if name != BUY_AND_HOLD else "--bars or --benchmark",
        fix="use bars of the same length, market and time zone",
    )
