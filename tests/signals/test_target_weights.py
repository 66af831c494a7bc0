from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.signals.config import (
    CostMultipleThreshold,
    FixedSizing,
    FixedThreshold,
    IntervalSizing,
    ProportionalSizing,
    QuantileThreshold,
    VolatilityTargetSizing,
)
from engine.signals.target_weights import compute_target_weights
from tests.hypothesis_examples import examples
from tests.signals.random_forecasts import random_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.signals.inputs import SignalInputs
    from engine.signals.sizing import SizingSpec
    from engine.signals.thresholds import ThresholdSpec

    MakeForecasts = Callable[..., SignalInputs]

PERCENT = 0.01


def decide(
    forecasts: SignalInputs,
    signal: ThresholdSpec,
    sizing: SizingSpec,
    *,
    close: pd.DataFrame | None = None,
    max_weight: float = 1.0,
) -> pd.DataFrame:
    flat = pd.DataFrame(1.0, index=forecasts.predicted.index, columns=forecasts.predicted.columns)
    return compute_target_weights(
        forecasts,
        flat if close is None else close,
        signal,
        sizing,
        round_trip_cost=0.003,
        periods_per_year=365,
        max_weight=max_weight,
    )


def test_without_a_forecast_the_position_is_flat_and_restarts(
    make_forecasts: MakeForecasts,
) -> None:
    hole, keeps = float("nan"), 0.5 * PERCENT
    forecasts = make_forecasts(
        {"A": [2 * PERCENT, keeps, hole, hole, keeps, 2 * PERCENT]},
        window=[0, 0, 1, 1, 2, 2],
        train={0: [0.0], 2: [0.0]},
    )
    forecasts = replace(forecasts, residuals={w: {"A": np.array([-0.1, 0.1])} for w in (0, 2)})
    for sizing in (
        FixedSizing(weight=0.5),
        ProportionalSizing(full_bps=400),
        IntervalSizing(full_ratio=0.25),
    ):
        weights = decide(forecasts, FixedThreshold(enter_bps=100, exit_bps=0), sizing)
        assert weights["A"].tolist() == pytest.approx([0.5, 0.5, 0, 0, 0, 0.5])


def test_a_fixed_size_follows_the_position(make_forecasts: MakeForecasts) -> None:
    forecasts = make_forecasts({"A": [0, 2 * PERCENT, 0.5 * PERCENT, -PERCENT, -3 * PERCENT]})
    signal = FixedThreshold(enter_bps=100, exit_bps=0, side="long_short")
    weights = decide(forecasts, signal, FixedSizing(weight=0.5))
    assert weights["A"].tolist() == [0, 0.5, 0.5, 0, -0.5]
    assert weights.index.equals(forecasts.predicted.index)


def test_a_size_is_set_on_entry_and_kept_until_the_exit(
    make_forecasts: MakeForecasts,
) -> None:
    bps = [20, 80, 40, -5, 60]
    forecasts = make_forecasts({"A": [value / 10_000 for value in bps]})
    weights = decide(forecasts, FixedThreshold(enter_bps=10), ProportionalSizing(full_bps=100))
    np.testing.assert_allclose(weights["A"], [0.2, 0.2, 0.2, 0, 0.6])


def test_a_size_is_set_again_when_a_position_is_reversed(make_forecasts: MakeForecasts) -> None:
    bps = [20, 80, -70, -30, 40]
    forecasts = make_forecasts({"A": [value / 10_000 for value in bps]})
    signal = FixedThreshold(enter_bps=10, side="long_short")
    weights = decide(forecasts, signal, ProportionalSizing(full_bps=100))
    np.testing.assert_allclose(weights["A"], [0.2, 0.2, -0.7, -0.7, 0.4])


def test_a_position_continues_into_the_next_window_with_its_thresholds(
    make_forecasts: MakeForecasts,
) -> None:
    train = {0: np.linspace(0, 1, 11), 1: np.linspace(0, 2, 11)}
    predicted = [0.9, 0.7, 1.1, 0.9]
    forecasts = make_forecasts({"A": predicted}, window=[0, 0, 1, 1], train=train)
    weights = decide(forecasts, QuantileThreshold(enter=0.8, exit=0.5), FixedSizing())
    # Window 0: enter 0.8, exit 0.5. Window 1: enter 1.6, exit 1.0.
    assert weights["A"].tolist() == [1, 1, 1, 0]


def test_the_maximum_weight_caps_longs_and_shorts(make_forecasts: MakeForecasts) -> None:
    forecasts = make_forecasts({"A": [PERCENT, -PERCENT]})
    weights = decide(
        forecasts, FixedThreshold(side="long_short"), FixedSizing(weight=3), max_weight=0.8
    )
    assert weights["A"].tolist() == [0.8, -0.8]


def test_zero_volatility_gives_the_maximum_weight(
    make_forecasts: MakeForecasts,
) -> None:
    forecasts = make_forecasts({"A": [PERCENT]})
    days = pd.date_range(end=forecasts.predicted.index[0], periods=30, name="timestamp")
    close = pd.DataFrame({"A": 0.1}, index=days)
    weights = decide(
        forecasts, FixedThreshold(), VolatilityTargetSizing(), close=close, max_weight=1.5
    )
    assert weights["A"].tolist() == [1.5]


def test_symbols_share_the_equity_equally(
    make_forecasts: MakeForecasts,
) -> None:
    forecasts = make_forecasts({"A": [PERCENT, PERCENT], "B": [-PERCENT, PERCENT]})
    weights = decide(forecasts, FixedThreshold(), FixedSizing())
    assert weights["A"].tolist() == [0.5, 0.5]
    assert weights["B"].tolist() == [0, 0.5]


SIGNALS = st.sampled_from(
    [
        FixedThreshold(side="long_short"),
        CostMultipleThreshold(enter=2, exit=-1),
        QuantileThreshold(side="long_short"),
        QuantileThreshold(enter=0.9, exit=0.5),
    ]
)
SIZINGS = st.sampled_from(
    [
        FixedSizing(weight=2),
        ProportionalSizing(),
        IntervalSizing(),
        IntervalSizing(low=0.2, high=0.8),
        VolatilityTargetSizing(target_pct_per_year=90, window=10),
    ]
)
SEEDS = st.integers(0, 2**32 - 1)


@examples(60)
@given(SEEDS, SEEDS, SIGNALS, SIZINGS, st.integers(0, 58))
def test_weights_up_to_t_do_not_depend_on_predictions_or_closes_after_t(
    seed: int, other: int, signal: ThresholdSpec, sizing: SizingSpec, t: int
) -> None:
    forecasts, close = random_case(seed)
    later, later_close = random_case(other)

    def until_t(known: pd.DataFrame, unknown: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([known.iloc[: t + 1], unknown.iloc[t + 1 :]])

    mixed = replace(
        forecasts,
        predicted=until_t(forecasts.predicted, later.predicted),
        quantiles={
            level: until_t(known, later.quantiles[level])
            for level, known in forecasts.quantiles.items()
        },
    )
    mixed_close = pd.concat([close.iloc[: t + 16], later_close.iloc[t + 16 :]])
    pd.testing.assert_frame_equal(
        decide(mixed, signal, sizing, close=mixed_close).iloc[: t + 1],
        decide(forecasts, signal, sizing, close=close).iloc[: t + 1],
        check_exact=True,
    )


@examples(60)
@given(SEEDS, SIGNALS, SIZINGS, st.floats(0.1, 3))
def test_the_weights_together_never_exceed_the_maximum(
    seed: int, signal: ThresholdSpec, sizing: SizingSpec, max_weight: float
) -> None:
    forecasts, close = random_case(seed)
    weights = decide(forecasts, signal, sizing, close=close, max_weight=max_weight)
    assert weights.notna().all(axis=None)
    assert weights.abs().sum(axis=1).max() <= max_weight * (1 + 1e-12)
    if signal.side == "long_only":
        assert weights.min(axis=None) >= 0
