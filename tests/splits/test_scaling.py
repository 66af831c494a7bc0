from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from engine.core.errors import InvalidBarsError
from engine.splits.config import MinMaxScaling, RollingZscoreScaling, Scaling, StandardScaling
from engine.splits.scaling import fit_scaler

TRAIN = range(30, 130)
EVERY_SCALING = pytest.mark.parametrize(
    "scaling",
    [StandardScaling(), MinMaxScaling(low=-1), RollingZscoreScaling(window=20)],
    ids=lambda part: part.kind,
)


@pytest.fixture
def values() -> np.ndarray:
    """200 rows, 3 columns of unlike scales; the first 10 rows are warm-up."""
    rng = np.random.default_rng(3)
    values = rng.normal([0, 5, -1e6], [1e-4, 1, 1e5], (200, 3))
    values[:10] = np.nan
    return values


def test_standard_gives_the_train_rows_mean_0_and_deviation_1(values: np.ndarray) -> None:
    scaled = fit_scaler(StandardScaling(), values, TRAIN).transform(values)[
        TRAIN.start : TRAIN.stop
    ]
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-9)


def test_minmax_maps_the_train_extremes_to_low_and_high(values: np.ndarray) -> None:
    scaler = fit_scaler(MinMaxScaling(low=-1, high=3), values, TRAIN)
    scaled = scaler.transform(values)[TRAIN.start : TRAIN.stop]
    np.testing.assert_allclose(scaled.min(axis=0), -1)
    np.testing.assert_allclose(scaled.max(axis=0), 3)


def test_minmax_allows_later_rows_outside_the_range() -> None:
    values = np.array([[0.0], [1.0], [2.0]])
    assert fit_scaler(MinMaxScaling(), values, range(2)).transform(values).tolist() == [
        [0],
        [1],
        [2],
    ]


def test_a_rolling_zscore_depends_on_its_window_only(values: np.ndarray) -> None:
    scaled = fit_scaler(RollingZscoreScaling(window=20), values, TRAIN).transform(values)
    for row in (29, 30, 199):
        last = values[row - 19 : row + 1]
        np.testing.assert_allclose(scaled[row], (last[-1] - last.mean(0)) / last.std(0), atol=1e-9)


@EVERY_SCALING
@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("ends", [[199], [60, 61, 130, 199], [199, 80], [30, 100]])
def test_rows_of_a_few_sequences_are_scaled_with_the_bits_of_all_rows(
    values: np.ndarray, scaling: Scaling, length: int, ends: list[int]
) -> None:
    values[100:130, 1] = 7.0  # a window that is constant
    scaler = fit_scaler(scaling, values, TRAIN)
    scaled = scaler.transform_sequences(values, np.array(ends), length)
    read = np.array(ends)[:, None] + np.arange(1 - length, 1)
    assert scaled.shape == values.shape
    assert scaled[read].tobytes() == scaler.transform(values)[read].tobytes()


def test_a_sequence_whose_windows_are_not_complete_is_nan_where_they_are_not(
    values: np.ndarray,
) -> None:
    scaler = fit_scaler(RollingZscoreScaling(window=20), values, TRAIN)
    scaled = scaler.transform_sequences(values, np.array([30]), 4)
    assert np.isnan(scaled[27:29]).all()
    assert np.isfinite(scaled[29:31]).all()


@EVERY_SCALING
def test_scaling_does_not_depend_on_rows_after_the_train_part(
    values: np.ndarray, scaling: Scaling
) -> None:
    other = values.copy()
    other[TRAIN.stop :] *= -50
    known = slice(0, TRAIN.stop)
    np.testing.assert_array_equal(
        fit_scaler(scaling, other, TRAIN).transform(other)[known],
        fit_scaler(scaling, values, TRAIN).transform(values)[known],
    )


@pytest.mark.parametrize(
    "scaling", [StandardScaling(), MinMaxScaling()], ids=lambda part: part.kind
)
def test_scaling_does_not_depend_on_rows_before_the_train_part(
    values: np.ndarray, scaling: Scaling
) -> None:
    other = values.copy()
    other[: TRAIN.start] = 1e9
    np.testing.assert_array_equal(
        fit_scaler(scaling, other, TRAIN).transform(values),
        fit_scaler(scaling, values, TRAIN).transform(values),
    )


@EVERY_SCALING
def test_rows_are_nan_exactly_in_the_declared_warmup(values: np.ndarray, scaling: Scaling) -> None:
    finite = np.isfinite(fit_scaler(scaling, values, TRAIN).transform(values)).all(axis=1)
    assert finite.argmax() == 10 + scaling.warmup
    assert finite[10 + scaling.warmup :].all()


@pytest.mark.parametrize(
    ("scaling", "neutral"),
    [
        (StandardScaling(), 0.0),
        (MinMaxScaling(low=-1), -1.0),
        (RollingZscoreScaling(window=20), 0.0),
    ],
    ids=lambda part: getattr(part, "kind", ""),
)
def test_a_constant_column_is_scaled_to_the_neutral_value(
    scaling: Scaling, neutral: float
) -> None:
    values = np.full((200, 1), 0.1)
    scaled = fit_scaler(scaling, values, TRAIN).transform(values)
    assert set(scaled[scaling.warmup :].ravel()) == {neutral}


@pytest.mark.parametrize(
    ("scaling", "neutral"),
    [(StandardScaling(), 0.0), (MinMaxScaling(low=-1), -1.0)],
    ids=["standard", "minmax"],
)
def test_a_column_constant_in_training_is_neutral_afterwards(
    scaling: Scaling, neutral: float
) -> None:
    values = np.r_[np.full((130, 1), 0.1), np.full((70, 1), 7.0)]
    assert set(fit_scaler(scaling, values, TRAIN).transform(values).ravel()) == {neutral}


@EVERY_SCALING
def test_scaling_does_not_change_its_input(values: np.ndarray, scaling: Scaling) -> None:
    before = values.copy()
    fit_scaler(scaling, values, TRAIN).transform(values)
    np.testing.assert_array_equal(values, before)


@EVERY_SCALING
def test_train_rows_that_are_not_finite_are_an_error(values: np.ndarray, scaling: Scaling) -> None:
    with pytest.raises(InvalidBarsError, match="not finite"):
        fit_scaler(scaling, values, range(9, 50))


def test_minmax_requires_low_below_high() -> None:
    with pytest.raises(ValueError, match="must be below high"):
        MinMaxScaling(low=1, high=1)


@EVERY_SCALING
@pytest.mark.parametrize("parts", [[1] * 200, [5, 0, 90, 1, 1, 103]], ids=["single", "several"])
def test_rows_that_arrive_in_parts_are_scaled_to_the_same_bits(
    values: np.ndarray, scaling: Scaling, parts: list[int]
) -> None:
    scaler = fit_scaler(scaling, values, TRAIN)
    state, scaled = None, []
    for part in np.split(values, np.cumsum(parts)[:-1]):
        before = None if state is None else state.copy()
        following, rows = scaler.update(state, part)
        scaled.append(rows)
        if state is not None:
            np.testing.assert_array_equal(state, before)
        state = following
        assert len(state) <= scaling.warmup
    np.testing.assert_array_equal(np.vstack(scaled), scaler.transform(values))


def test_every_scaling_is_tested() -> None:
    kinds = {each.model_fields["kind"].default for each in get_args(get_args(Scaling)[0])}
    assert kinds == {scaling.kind for scaling in EVERY_SCALING.args[1]}
