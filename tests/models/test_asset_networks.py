"""Networks over several symbols: NumPy equals Keras, absent symbols, the parts of a forecast."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.models import (
    AssetAttention,
    CnnLstm,
    FittedForecaster,
    Hierarchical,
    Lstm,
    Mlp,
    Tcn,
    TrainingSet,
    TrainingSpec,
)
from engine.models.inference import NetworkProgram

if TYPE_CHECKING:
    from engine.models.networks import Network

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("one_thread"),
    # Keras copies the variables of TensorFlow, outside of the workers that networks train in.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SYMBOLS, WIDTH, LOOKBACK = ("A", "B", "C", "D"), 3, 4
ROWS = 160
ABSENT = slice(20, 50)
"""Rows at which C has neither inputs nor a return."""

JOINT = [
    Lstm(lookback=LOOKBACK, units=(4,)),
    AssetAttention(lookback=LOOKBACK, trunk=CnnLstm(), width=4, heads=2),
    Hierarchical(lookback=LOOKBACK, trunk=Mlp(dense=(4,)), groups={"one": ("A", "C")}),
]


@cache
def panel() -> TrainingSet:
    """A return of each symbol that depends on its own inputs and on those of B."""
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((ROWS, len(SYMBOLS) * WIDTH)).astype(np.float32)
    target = 0.02 * (inputs[:, ::WIDTH] + 0.5 * inputs[:, [WIDTH]])
    target += 0.01 * rng.standard_normal(target.shape)
    inputs[ABSENT, 2 * WIDTH : 3 * WIDTH] = np.nan
    target[ABSENT, 2] = np.nan
    return TrainingSet(
        inputs=inputs,
        trailing=np.zeros(ROWS),
        groups=tuple(tuple(range(k * WIDTH, (k + 1) * WIDTH)) for k in range(len(SYMBOLS))),
        target=target,
        train=np.arange(LOOKBACK, 110),
        validation=np.arange(111, ROWS),
        symbols=SYMBOLS,
    )


@cache
def fit(model: Network) -> FittedForecaster:
    return model.fit(panel(), TrainingSpec(epochs=2, batch_size=64), seed=1)


def by_keras(fitted: FittedForecaster) -> FittedForecaster:
    return replace(fitted, state={**fitted.state, "program": None})


@pytest.mark.parametrize("model", JOINT, ids=lambda model: model.kind)
def test_numpy_gives_the_forecasts_of_keras_and_each_row_its_own_bits(model: Network) -> None:
    fitted, given = fit(model), panel()
    found = fitted.predict(given, given.train).returns
    assert found.shape == (len(given.train), len(SYMBOLS))
    assert np.isfinite(found).all()
    expected = by_keras(fitted).predict(given, given.train).returns
    spread = np.nanstd(given.target)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * spread)
    rows = given.train[:12]
    alone = np.vstack([fitted.predict(given, row[None]).returns for row in rows])
    np.testing.assert_array_equal(alone, found[:12])


@pytest.mark.parametrize("model", JOINT, ids=lambda model: model.kind)
def test_later_rows_change_no_forecast(model: Network) -> None:
    given, fitted = panel(), fit(model)
    later = np.arange(ROWS)[:, None] > 100
    changed = replace(given, inputs=np.where(later, np.float32(9.0), given.inputs))
    rows = np.arange(LOOKBACK, 101)
    one, two = (fitted.predict(each, rows).returns for each in (given, changed))
    np.testing.assert_array_equal(one, two)


def test_no_symbol_attends_to_an_absent_one() -> None:
    model = JOINT[1]
    assert isinstance(model, AssetAttention)
    weights = model.attention_weights(fit(model), panel(), np.array([30, 100]))
    assert weights.shape == (2, 2, 4, 4)
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, atol=1e-6)
    assert (weights[0, :, :, 2] == 0.0).all()
    assert (weights[1] > 0.0).all()


def test_the_market_forecast_is_the_mean_over_the_symbols_that_are_present() -> None:
    model, given = JOINT[2], panel()
    fitted = fit(model)
    program = NetworkProgram.model_validate(fitted.state["program"])
    rows = np.array([30, 60, 100])
    sequences = given.branch_sequences(rows, LOOKBACK)
    scaled = program.run(fitted.weights, sequences)
    market = program.run(fitted.weights, sequences, layer="market_forecast")[:, 0, 0]
    np.testing.assert_allclose(scaled[0, [0, 1, 3]].mean(), market[0], atol=1e-6)
    np.testing.assert_allclose(scaled[1:].mean(axis=1), market[1:], atol=1e-6)


def test_a_return_that_is_not_known_has_no_weight_in_the_loss() -> None:
    """What stands at the rows of the absent symbol changes no weight of the network."""
    model, given = Lstm(lookback=LOOKBACK, units=(4,), dropout=0.0), panel()
    first = given.target.copy()
    first[ABSENT] = np.nan
    of_all = replace(given, target=first)
    fewer = replace(given, target=first, train=np.r_[LOOKBACK:20, 50:110])
    training = TrainingSpec(epochs=1, batch_size=128)
    alone, masked = (model.fit(each, training, seed=1) for each in (fewer, of_all))
    for one, two in zip(alone.weights, masked.weights, strict=True):
        if one.dtype == np.float32:
            np.testing.assert_allclose(one, two, rtol=0, atol=1e-5)


@cache
def pooled() -> TrainingSet:
    """Rows of three symbols, one after the other; each answers to its input in its own way."""
    rng = np.random.default_rng(5)
    inputs = rng.standard_normal((3 * 60, WIDTH)).astype(np.float32)
    numbers = np.repeat(np.arange(3), 60)
    rows = [np.arange(60 * k + LOOKBACK, 60 * k + 59) for k in range(3)]
    return TrainingSet(
        inputs=inputs,
        trailing=np.zeros(len(inputs)),
        groups=(tuple(range(WIDTH)),),
        target=0.01 * inputs[:, 0] * np.array([1.0, -1.0, 0.5])[numbers],
        train=np.concatenate([own[:35] for own in rows]),
        validation=np.concatenate([own[36:] for own in rows]),
        embedded=("A", "B", "C"),
        row_symbols=numbers,
    )


@pytest.mark.parametrize("network", [Lstm(units=(4,)), Tcn()], ids=lambda each: each.kind)
def test_a_symbol_that_was_not_fitted_has_the_mean_vector(network: Network) -> None:
    model = network.model_copy(update={"lookback": LOOKBACK, "symbol_embedding": 2})
    given = pooled()
    fitted = model.fit(given, TrainingSpec(epochs=2), seed=1)
    (vectors,) = (each for each in fitted.weights if each.shape == (4, 2))
    np.testing.assert_array_equal(vectors[3], vectors[:3].mean(axis=0))
    for numbers in (given.row_symbols, np.full(len(given.inputs), 3)):
        asked = replace(given, row_symbols=numbers)
        found, expected = (
            each.predict(asked, given.train).returns for each in (fitted, by_keras(fitted))
        )
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * given.target.std())
    known = fitted.predict(given, given.train).returns
    assert not np.allclose(known, found)
