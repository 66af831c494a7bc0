"""Checks of what a simulation is given, and its selection by the symbols of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError, UsageError

if TYPE_CHECKING:
    from engine.core.types import Vector, WideFrame


def check_weights(weights: WideFrame) -> None:
    """Refuses weights that are not finite."""
    # vectorbt reads NaN as "no order": a failed model would look like one that holds.
    bad = ~np.isfinite(weights.to_numpy(dtype=np.float64))
    if bad.any():
        row, symbol = np.argwhere(bad)[0]
        raise UsageError(
            f"{int(bad.sum())} weights are not finite",
            expected="a finite target weight at every close",
            found=str(weights.iat[row, symbol]),
            where=f"{weights.columns[symbol]} at {weights.index[row]}",
        )


class Trading(TypedDict):
    """The fields of `Terms` that say where orders are filled."""

    traded: WideFrame | None
    settlements: WideFrame | None


def align_trading(
    traded: WideFrame | None, settlements: WideFrame | None, weights: WideFrame
) -> Trading:
    """Both on the rows and symbols of `weights`; None where all trade, and where none is paid out.

    Where a symbol is paid out counts as traded.
    """
    trades = None if traded is None else align_traded(traded, weights)
    if settlements is None:
        return Trading(traded=trades, settlements=None)
    _check_match(settlements, weights, "settlements", column="a column", absent="nothing about")
    paid = _select_columns(settlements, weights, np.dtype(np.bool_))
    if not paid.to_numpy().any():
        return Trading(traded=trades, settlements=None)
    return Trading(traded=None if trades is None else trades | paid, settlements=paid)


def align_traded(traded: WideFrame, weights: WideFrame) -> WideFrame | None:
    """The rows and symbols of `weights`; None where something trades at all of them."""
    _check_match(traded, weights, "bars that traded", column="a column", absent="nothing about")
    chosen = _select_columns(traded, weights, np.dtype(np.bool_))
    return None if chosen.to_numpy().all() else chosen


def align_prices(bars: WideFrame, weights: WideFrame, column: str) -> WideFrame:
    """The prices of the symbols in `weights`, checked."""
    _check_match(bars, weights, f"{column} prices", column="a price column", absent="no prices of")
    prices = _select_columns(bars, weights, np.dtype(np.float64))
    values = prices.to_numpy()
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        row, symbol = np.argwhere(bad)[0]
        raise InvalidBarsError(
            f"{int(bad.sum())} {column} prices cannot be traded at",
            expected="positive, finite prices",
            found=str(prices.iat[row, symbol]),
            where=f"{prices.columns[symbol]} at {prices.index[row]}",
            fix="run `backtest data check` on the dataset",
        )
    return prices


def align_cash_rates(cash_rates: float | pd.Series[float], weights: WideFrame) -> Vector:
    """The yields on cash at the rows of `weights`, checked: (1,), or (n,) where they vary."""
    if isinstance(cash_rates, pd.Series) and not cash_rates.index.equals(weights.index):
        raise UsageError(
            "the weights and the yields on cash do not match",
            expected="the same timestamps",
            found="other timestamps",
            where="cash_rates",
            fix="reindex the yields to the rows of the weights, each the last one known then",
        )
    rates = np.atleast_1d(np.asarray(cash_rates, dtype=np.float64))
    bad = np.flatnonzero(~np.isfinite(rates))
    if len(bad):
        raise UsageError(
            f"{len(bad)} yields on cash are not finite",
            expected="a finite rate a year at every bar, 0.02 is 2 %",
            found=str(rates[bad[0]]),
            where=f"cash_rates at {weights.index[bad[0]]}",
        )
    return rates


def _select_columns(frame: WideFrame, weights: WideFrame, dtype: np.dtype[Any]) -> WideFrame:
    """The columns of `weights`, in their order; pandas' own selection takes six times as long."""
    if frame.columns.equals(weights.columns):
        return frame.astype(dtype)
    values = frame.to_numpy(dtype=dtype)[:, frame.columns.get_indexer(weights.columns)]
    return pd.DataFrame(values, index=frame.index, columns=weights.columns)


def _check_match(
    frame: WideFrame, weights: WideFrame, what: str, *, column: str, absent: str
) -> None:
    """Refuses a frame that lacks a symbol of the weights, or has other rows."""
    known = set(frame.columns)
    missing = [symbol for symbol in weights.columns if symbol not in known]
    if missing or not frame.index.equals(weights.index):
        raise UsageError(
            f"the weights and the {what} do not match",
            expected=f"the same timestamps, and {column} for each symbol of the weights",
            found=f"{absent} {missing}" if missing else "other timestamps",
            fix="select the bars of the rows that the weights are decided on",
        )
