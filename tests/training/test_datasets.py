"""Arrays of a window at a coarser interval, without later bars."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import DataError, InvalidBarsError
from engine.data.market import Market
from engine.features.config import HighLowRange, LogReturn, Volatility
from engine.features.resolutions import CoarseFeatures, build_coarse_features
from engine.models.fitted_model import ScaledColumns
from engine.splits.scaling import MinMaxScaling, RollingZscoreScaling, ScalingSpec, StandardScaling
from engine.splits.walk_forward import WalkForwardWindow
from engine.training.datasets import build_coarse_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.models.dataset import CoarseInputs

    Build = Callable[[Market], CoarseFeatures]

FEATURES = (LogReturn(), Volatility(window=3), HighLowRange())
LOOKBACK = 4
BARS = 500
STAMPS = pd.date_range("2020-01-01", periods=BARS, freq="D", tz="UTC", name="timestamp")  # a Wed
WINDOW = WalkForwardWindow(0, range(250, 350), range(351, 401), range(402, 450))
WEEK = 7


def market(seed: int = 0) -> Market:
    """Two symbols, day by day."""
    tables = []
    for index, symbol in enumerate(("A", "B")):
        rng = np.random.default_rng([seed, index])
        close = 100 * np.exp(np.cumsum(0.02 * rng.standard_normal(BARS)))
        spread = np.exp(0.01 * rng.random((2, BARS)))
        own = {"open": close, "high": close * spread[0], "low": close / spread[1], "close": close}
        tables.append(pd.DataFrame({"timestamp": STAMPS, "symbol": symbol, **own, "volume": 1.0}))
    bars = pd.concat(tables).sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(bars, ("A", "B"), "1d", "24/7", 365.0, {})


def weekly(bars: Market) -> CoarseFeatures:
    return build_coarse_features(bars, "1w", FEATURES, ["A", "B"])


def one_bar_early(bars: Market) -> CoarseFeatures:
    """A planted leak: every week is used from its Saturday."""
    weekly_features = weekly(bars)
    return replace(
        weekly_features, latest=np.append(weekly_features.latest[1:], weekly_features.latest[-1])
    )


def coarse(
    build: Build = weekly, scaling: ScalingSpec | None = None, seed: int = 0
) -> CoarseInputs:
    return inputs_of(build(market(seed)), scaling or StandardScaling())


def inputs_of(
    features: CoarseFeatures, scaling: ScalingSpec, window: WalkForwardWindow = WINDOW
) -> CoarseInputs:
    inputs, _ = build_coarse_inputs(features, scaling, window, LOOKBACK)
    return inputs


def reached(inputs: CoarseInputs, row: int) -> np.ndarray:
    """The sequence of coarse bars of a row of the whole history."""
    end = inputs.latest[row - (WINDOW.train.start - LOOKBACK + 1)]
    return inputs.inputs[end - LOOKBACK + 1 : end + 1]


SCALINGS = [StandardScaling(), MinMaxScaling(), RollingZscoreScaling(window=20)]


@pytest.mark.parametrize("scaling", SCALINGS, ids=lambda scaling: scaling.kind)
def test_a_row_sees_the_weeks_complete_at_its_close(scaling: ScalingSpec) -> None:
    weekly_features = weekly(market())
    known = weekly_features.features.values[
        weekly_features.latest[250] : weekly_features.latest[349] + 1
    ]
    expected = scaling.fit(known).transform(weekly_features.features.values).astype(np.float32)
    inputs = coarse(scaling=scaling)
    for part in (WINDOW.train, WINDOW.validation):
        for row in (part[0], part[3], part[-1]):
            closed = STAMPS[row] + pd.Timedelta(days=1)
            ends = weekly_features.features.timestamps + pd.Timedelta(weeks=1)
            newest = int(np.flatnonzero(ends <= closed)[-1])
            sequence = expected[newest - LOOKBACK + 1 : newest + 1]
            np.testing.assert_array_equal(reached(inputs, row), sequence)


def test_coarse_inputs_have_their_shapes_and_no_unused_bar() -> None:
    inputs = coarse()
    rows = WINDOW.validation.stop - WINDOW.train.start + LOOKBACK - 1
    assert (inputs.inputs.dtype, inputs.latest.dtype) == (np.float32, np.int64)
    assert inputs.latest.shape == (rows,)
    assert inputs.latest[LOOKBACK - 1] == LOOKBACK - 1, "the first train row has just a lookback"
    assert inputs.latest[-1] == len(inputs.inputs) - 1
    assert len(inputs.inputs) == LOOKBACK + (WINDOW.validation[-1] - WINDOW.train[0]) // WEEK
    assert inputs.groups == ((0, 1, 2), (3, 4, 5))
    assert np.isfinite(inputs.inputs).all()


def test_rows_before_training_have_no_coarse_bars_outside_the_inputs() -> None:
    """A bar may complete two weeks at once, its own and the one before."""
    stamps = pd.date_range("2020-01-05", periods=80, freq="7D", tz="UTC")  # Sundays, a week apart
    bars = market().bars.head(2 * len(stamps)).assign(timestamp=np.repeat(stamps, 2))
    weekly_features = weekly(replace(market(), bars=bars))
    window = WalkForwardWindow(0, range(30, 60), range(61, 65), range(66, 80))
    inputs, _ = build_coarse_inputs(weekly_features, StandardScaling(), window, 10)
    assert inputs.latest.min() >= -1
    assert inputs.latest[9:].min() == 9


def test_the_scaler_is_fitted_on_weeks_of_the_train_rows_only() -> None:
    weekly_features = weekly(market())
    first, last = weekly_features.latest[WINDOW.train[0]], weekly_features.latest[WINDOW.train[-1]]
    before = coarse()
    outside = np.ones(len(weekly_features.features.values), dtype=bool)
    outside[first : last + 1] = False
    poisoned = weekly_features.features.values + 1e3 * outside[:, None]
    after = inputs_of(
        replace(weekly_features, features=replace(weekly_features.features, values=poisoned)),
        StandardScaling(),
    )
    inside = slice(LOOKBACK - 1, LOOKBACK + last - first)
    np.testing.assert_array_equal(after.inputs[inside], before.inputs[inside])
    assert (after.inputs[: LOOKBACK - 1] > 1e3).all()
    assert (after.inputs[LOOKBACK + last - first :] > 1e3).all()
    np.testing.assert_allclose(before.inputs[inside].mean(axis=0), 0, atol=1e-6)


def assert_ignorant_of_the_future(build: Build, scaling: ScalingSpec, last: int) -> None:
    """The arrays of a window are bit-equal with other or no bars after its validation rows."""
    window = replace(WINDOW, validation=range(WINDOW.validation.start, last + 1))
    whole, other = market(), market(1)
    past = whole.bars["timestamp"] <= STAMPS[last]
    replaced = replace(whole, bars=pd.concat([whole.bars[past], other.bars[~past]]))
    ended = replace(whole, bars=whole.bars[past])
    known, *others = (inputs_of(build(bars), scaling, window) for bars in (whole, replaced, ended))
    for again in others:
        np.testing.assert_array_equal(again.latest, known.latest, err_msg="the future was seen")
        np.testing.assert_array_equal(again.inputs, known.inputs, err_msg="the future was seen")


@pytest.mark.parametrize("last", range(390, 400))
@pytest.mark.parametrize("scaling", SCALINGS, ids=lambda scaling: scaling.kind)
def test_bars_after_the_validation_rows_change_nothing(scaling: ScalingSpec, last: int) -> None:
    assert_ignorant_of_the_future(weekly, scaling, last)


def test_a_week_used_one_bar_early_is_detected() -> None:
    saturdays = [row for row in range(390, 400) if STAMPS[row].day_name() == "Saturday"]
    with pytest.raises(AssertionError, match="the future was seen"):
        assert_ignorant_of_the_future(one_bar_early, StandardScaling(), saturdays[0])


def test_a_value_that_is_not_finite_names_feature_interval_and_bar() -> None:
    weekly_features = weekly(market())
    values = weekly_features.features.values.copy()
    values[weekly_features.latest[WINDOW.validation[-1]], 4] = np.inf
    broken = replace(weekly_features, features=replace(weekly_features.features, values=values))
    with pytest.raises(DataError) as caught:
        build_coarse_inputs(broken, StandardScaling(), WINDOW, LOOKBACK)
    assert "B:1w:volatility_3 = inf, 1 in all" in caught.value.found
    assert "2021-01-25" in caught.value.where


def test_a_train_value_that_is_not_finite_is_an_error_before_the_fit() -> None:
    weekly_features = weekly(market())
    values = weekly_features.features.values.copy()
    values[weekly_features.latest[WINDOW.train[5]], 0] = np.nan
    broken = replace(weekly_features, features=replace(weekly_features.features, values=values))
    with pytest.raises(InvalidBarsError, match="not finite"):
        build_coarse_inputs(broken, StandardScaling(), WINDOW, LOOKBACK)


def test_quantiles_of_the_train_rows_are_computed_when_they_are_read() -> None:
    """The key and the file of a fit hold them; arrays that are compared have no use for them."""
    built: list[int] = []

    def build() -> np.ndarray:
        built.append(1)
        return np.zeros((101, 2))

    scaler = StandardScaling().fit(np.arange(6.0).reshape(3, 2))
    columns = ScaledColumns(("a", "b"), ((0,), (1,)), scaler, build)
    columns.scale(np.zeros((4, 2)))
    assert built == []
    assert columns.quantiles is columns.quantiles
    assert built == [1]


def test_a_fitted_scaling_gives_the_inputs_of_the_fit_from_coarse_bars_alone() -> None:
    """Serving scales with what was fitted: the same bytes, and no row that the fit did not see."""
    weekly_features = weekly(market())
    inputs, columns = build_coarse_inputs(weekly_features, StandardScaling(), WINDOW, LOOKBACK)
    first = weekly_features.latest[WINDOW.train[0]] - LOOKBACK + 1
    taken = weekly_features.features.values[first : first + len(inputs.inputs)]
    assert columns.scale(taken).tobytes() == inputs.inputs.tobytes()
    assert columns.names == weekly_features.features.names
    train = taken[LOOKBACK - 1 : LOOKBACK + (WINDOW.train[-1] - WINDOW.train[0]) // WEEK]
    np.testing.assert_array_equal(columns.quantiles[[0, -1]], [train.min(0), train.max(0)])
