"""Trials with returns of known correlation, for tests of selection and verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.inference.trial_set import Trial, TrialSet

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector


def make_index(bars: int, freq: str = "D", start: str = "2015-01-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=bars, freq=freq, tz="UTC", name="timestamp")


def make_trial(
    returns: Vector,
    *,
    holding: Vector | None = None,
    number: int = 0,
    index: pd.DatetimeIndex | None = None,
    interval: str = "1d",
) -> Trial:
    rows = make_index(len(returns)) if index is None else index
    return Trial(
        number,
        interval,
        pd.Series(returns, index=rows),
        None if holding is None else pd.Series(holding, index=rows),
    )


def make_trial_set(
    returns: Matrix, holding: Vector | None = None, *, elsewhere: int = 0
) -> TrialSet:
    """A trial a column, the run itself first."""
    own, *others = (
        make_trial(column, holding=holding, number=number)
        for number, column in enumerate(returns.T)
    )
    return TrialSet(own=own, others=tuple(others), elsewhere=elsewhere)


def correlated_noise(
    rng: np.random.Generator, bars: int, trials: int, correlation: float
) -> Matrix:
    """Returns without skill of equally correlated trials, shape (bars, trials)."""
    common = rng.standard_normal((bars, 1))
    own = rng.standard_normal((bars, trials))
    noise: Matrix = 0.01 * (np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)
    return noise
