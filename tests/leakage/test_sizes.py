"""Every size is computed before another next bar: honest sizings pass, a peeking one does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import LookaheadError
from engine.leakage.size_probe import check_sizes
from engine.selftest.leaks import select_leaks
from engine.signals.decision_levels import DecisionSpec
from engine.signals.inputs import SignalInputs
from engine.signals.sizing import (
    FixedSizing,
    IntervalSizing,
    ProportionalSizing,
    SizingSpec,
    VolatilityTargetSizing,
)
from engine.signals.thresholds import FixedThreshold
from tests.leakage.peeking import trading_days
from tests.leakage.test_planted_leaks import small_plant

CLOSE = trading_days(400).wide("close")
FIRST = 120


def forecasts() -> SignalInputs:
    index = CLOSE.index[FIRST:]
    values = np.random.default_rng(0).normal(scale=0.01, size=(len(index), 2))
    predicted = pd.DataFrame(values, index, CLOSE.columns)
    return SignalInputs(
        predicted=predicted,
        window=np.zeros(len(index), dtype=np.int64),
        train_predictions={0: {symbol: np.zeros(3) for symbol in CLOSE.columns}},
        quantiles={0.1: predicted - 0.02, 0.9: predicted + 0.01},
    )


def check(sizing: SizingSpec) -> None:
    spec = DecisionSpec(
        FixedThreshold(), sizing, max_weight=1.0, round_trip_cost=0.0, periods_per_year=252
    )
    check_sizes("strategy", spec, forecasts(), CLOSE, FIRST)


@pytest.mark.parametrize(
    "sizing",
    [
        FixedSizing(),
        ProportionalSizing(),
        IntervalSizing(),
        VolatilityTargetSizing(window=5),
        VolatilityTargetSizing(window=40),
    ],
)
def test_a_size_that_knows_nothing_later_stays(sizing) -> None:
    check(sizing)


def test_a_size_that_knows_the_next_close_at_a_tenth_of_the_bars() -> None:
    (leak,) = select_leaks(["size: next close, 10 %"])
    with leak.planted(small_plant()), pytest.raises(LookaheadError, match="the size of strategy"):
        check(VolatilityTargetSizing(window=10))
