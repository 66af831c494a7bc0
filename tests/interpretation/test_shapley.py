"""Shapley values: the axioms, exact where they are enumerated, within their error where drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.interpretation.shapley import MAX_EXACT_GROUPS, shapley_values
from tests.hypothesis_examples import examples
from tests.interpretation.functions import feature_groups, make_sequences, newest, of_newest

ROWS, BACKGROUND = make_sequences(5, 4, seed=2), make_sequences(7, 4, seed=3)


def explain(forecast, columns: int = 4, rows=ROWS, background=BACKGROUND, **options):
    return shapley_values(
        forecast,
        rows,
        background,
        feature_groups(columns),
        rng=np.random.default_rng(4),
        **options,
    )


@examples(20)
@given(st.integers(0, 2**32 - 1))
def test_values_add_up_to_the_forecast(seed: int) -> None:
    weights = np.random.default_rng(seed).standard_normal((4, 4))
    forecast = of_newest(lambda x: np.tanh(np.einsum("ni,ij,nj->n", x, weights, x)))

    found = explain(forecast)

    np.testing.assert_allclose(found.base + found.values.sum(axis=1), forecast(ROWS), atol=1e-12)


def test_a_linear_forecast_is_weight_times_distance_from_the_mean() -> None:
    weights = np.array([2.0, -1.0, 0.0, 0.5])

    found = explain(of_newest(lambda x: x @ weights))

    distance = newest(ROWS) - newest(BACKGROUND).mean(axis=0)
    np.testing.assert_allclose(found.values, distance * weights, atol=1e-6)


def test_an_input_that_changes_nothing_has_none() -> None:
    found = explain(of_newest(lambda x: x[:, 0] * x[:, 1]))

    assert (found.values[:, 2:] == 0).all()


def test_two_inputs_with_the_same_part_have_the_same_value() -> None:
    rows, background = make_sequences(5, 4, seed=2), make_sequences(7, 4, seed=3)
    for sequences in (rows, background):
        sequences.branches[0][:, :, 1] = sequences.branches[0][:, :, 0]

    found = explain(
        of_newest(lambda x: x[:, 0] * x[:, 1] + x[:, 2]), rows=rows, background=background
    )

    np.testing.assert_allclose(found.values[:, 0], found.values[:, 1], atol=1e-12)


def test_an_interaction_is_shared_by_its_two_inputs_alone() -> None:
    rows, background = make_sequences(40, 4, seed=5), make_sequences(60, 4, seed=6)

    found = explain(of_newest(lambda x: x[:, 1] * x[:, 3]), rows=rows, background=background)

    assert (found.values[:, [0, 2]] == 0).all()
    assert (np.abs(found.values[:, [1, 3]]).mean(axis=0) > 0.2).all()


def test_drawn_orders_are_within_their_error() -> None:
    columns = MAX_EXACT_GROUPS + 1
    weights = np.linspace(-1, 1, columns)
    rows, background = make_sequences(6, columns, 2), make_sequences(9, columns, 3)

    found = explain(
        of_newest(lambda x: x @ weights + x[:, 0] * x[:, 1]), columns, rows, background, orders=64
    )

    distance = newest(rows) - newest(background).mean(axis=0)
    linear = np.arange(2, columns)  # exact, in every order
    np.testing.assert_allclose(found.values[:, linear], (distance * weights)[:, linear], atol=1e-6)
    assert (found.standard_errors[:, :2] > 0).all()
    total = found.base + found.values.sum(axis=1)
    np.testing.assert_allclose(
        total, newest(rows) @ weights + newest(rows)[:, 0] * newest(rows)[:, 1]
    )


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_are_no_special_case(rows: int) -> None:
    found = explain(of_newest(lambda x: x[:, 0]), rows=ROWS.take(np.arange(rows)))

    assert found.values.shape == (rows, 4)
    assert np.isfinite(found.base)
