"""Random forecasts and closes for the properties of decisions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.signals.inputs import SignalInputs


def random_case(
    seed: int, without_fit: frozenset[tuple[int, str]] = frozenset()
) -> tuple[SignalInputs, pd.DataFrame]:
    """60 out-of-sample bars of 3 symbols in 4 windows, after 15 bars of history.

    Of the interval's ends the outer ones are forecast, the inner ones come from residuals.
    A window and symbol of `without_fit` has no forecasts.
    """
    rng = np.random.default_rng(seed)
    days = pd.date_range("2021-01-01", periods=75, tz="UTC", name="timestamp")
    symbols = ["A", "B", "C"]
    moves = rng.standard_t(3, (75, 3)) * 0.02
    close = pd.DataFrame(np.exp(moves.cumsum(axis=0)), index=days, columns=symbols)
    predicted = pd.DataFrame(rng.normal(0, 0.01, (60, 3)), index=days[15:], columns=symbols)
    train = {w: {s: rng.normal(0, 0.01, 50) for s in symbols} for w in range(4)}
    width = pd.DataFrame(rng.uniform(0, 0.2, (60, 3)), index=days[15:], columns=symbols)
    residuals = {w: {s: rng.normal(0, 0.02, 30) for s in symbols} for w in range(4)}
    for window, symbol in without_fit:
        predicted.loc[predicted.index[15 * window : 15 * window + 15], symbol] = np.nan
        del train[window][symbol], residuals[window][symbol]
    quantiles = {0.1: predicted - width, 0.9: predicted + width}
    return SignalInputs(predicted, np.repeat(np.arange(4), 15), train, quantiles, residuals), close
