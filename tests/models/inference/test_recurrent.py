"""Recurrent layers against their formulas in float64, one step and one row at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.models.inference.recurrent import bind_gru, bind_lstm

ROWS, STEPS, COLUMNS = 3, 4, 2
WIDE = 220
"""Wide enough for several blocks of columns in one product."""

RNG = np.random.default_rng(5)
INPUTS = RNG.normal(size=(ROWS, STEPS, COLUMNS)).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def random_weights(units: int, gates: int, *, biases: tuple[int, ...]) -> list[np.ndarray]:
    shapes = [(COLUMNS, gates * units), (units, gates * units), (*biases, gates * units)]
    return [RNG.normal(scale=0.3, size=shape).astype(np.float32) for shape in shapes]


def lstm_of_row(x, weights, act, gate):
    kernel, recurrent, bias = (part.astype(float) for part in weights)
    output = state = np.zeros(len(recurrent))
    for step in x:
        i, f, candidate, o = np.split(step @ kernel + output @ recurrent + bias, 4)
        state = gate(f) * state + gate(i) * act(candidate)
        output = gate(o) * act(state)
        yield output


def gru_of_row(x, weights, *, reset_after):
    kernel, recurrent, bias = (part.astype(float) for part in weights)
    of_kernel, of_recurrent = bias if reset_after else (bias, 0 * bias)
    state = np.zeros(len(recurrent))
    for step in x:
        z, r, candidate = np.split(step @ kernel + of_kernel, 3)
        z_state, r_state, inner = np.split(state @ recurrent + of_recurrent, 3)
        z, r = sigmoid(z + z_state), sigmoid(r + r_state)
        if reset_after:
            candidate = np.tanh(candidate + r * inner)
        else:
            candidate = np.tanh(candidate + (r * state) @ np.split(recurrent, 3, axis=1)[2])
        state = z * state + (1 - z) * candidate
        yield state


@pytest.mark.parametrize("units", [5, WIDE])
@pytest.mark.parametrize(
    ("activations", "functions"),
    [(("tanh", "sigmoid"), (np.tanh, sigmoid)), (("sigmoid", "tanh"), (sigmoid, np.tanh))],
)
def test_lstm_equals_its_formula(units, activations, functions) -> None:
    weights = random_weights(units, 4, biases=())
    expected = np.array([[*lstm_of_row(row, weights, *functions)] for row in INPUTS])
    for sequences in (True, False):
        layer = bind_lstm(weights, {"activations": activations, "sequences": sequences})
        wanted = expected if sequences else expected[:, -1]
        np.testing.assert_allclose(layer(INPUTS), wanted, atol=1e-5)
        np.testing.assert_allclose(layer(INPUTS[1:2]), wanted[1:2], atol=1e-5)


@pytest.mark.parametrize("units", [5, WIDE])
@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_equals_its_formula(units, reset_after) -> None:
    weights = random_weights(units, 3, biases=(2,) if reset_after else ())
    expected = np.array([[*gru_of_row(row, weights, reset_after=reset_after)] for row in INPUTS])
    attributes = {"activations": ("tanh", "sigmoid"), "reset_after": reset_after}
    for sequences in (True, False):
        layer = bind_gru(weights, {**attributes, "sequences": sequences})
        wanted = expected if sequences else expected[:, -1]
        np.testing.assert_allclose(layer(INPUTS), wanted, atol=1e-5)
        np.testing.assert_allclose(layer(INPUTS[1:2]), wanted[1:2], atol=1e-5)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("kind", ["lstm", "gru", "gru, reset before"])
def test_a_row_continues_the_steps_of_the_row_before_with_the_same_bits(kind, sequences) -> None:
    gates, biases = (4, ()) if kind == "lstm" else (3, (2,) if kind == "gru" else ())
    attributes = {
        "activations": ("tanh", "sigmoid"),
        "sequences": sequences,
        "reset_after": kind == "gru",
    }
    bind = bind_lstm if kind == "lstm" else bind_gru
    weights = random_weights(5, gates, biases=biases)
    kept = bind(weights, attributes)
    rows = np.repeat(INPUTS[:1], 6, axis=0)
    rows[1, -1] += 1  # another last step
    rows[3, 1:] -= 2  # another second step, and those after it
    rows[4, 0] = np.nan
    rows[5, 2, 0] = -rows[5, 2, 0]
    for row in rows:
        alone = bind(weights, attributes)(row[None])
        first, again = kept(row[None]), kept(row[None])
        assert first.tobytes() == again.tobytes() == alone.tobytes()
        assert first.tobytes() == kept(np.stack([row, row]))[:1].tobytes()


def test_a_row_of_another_length_is_computed_anew() -> None:
    attributes = {"activations": ("tanh", "sigmoid"), "sequences": False}
    weights = random_weights(5, 4, biases=())
    layer = bind_lstm(weights, attributes)
    for row in (INPUTS[0], INPUTS[0, :2], INPUTS[0]):
        assert layer(row[None]).tobytes() == bind_lstm(weights, attributes)(row[None]).tobytes()


def test_a_result_is_not_changed_by_the_next_row() -> None:
    attributes = {"activations": ("tanh", "sigmoid"), "sequences": True}
    layer = bind_lstm(random_weights(5, 4, biases=()), attributes)
    result = layer(INPUTS[:1])
    before = result.copy()
    layer(INPUTS[1:2])
    assert result.tobytes() == before.tobytes()


def test_threads_that_predict_at_once_do_not_disturb_each_other() -> None:
    attributes = {"activations": ("tanh", "sigmoid"), "sequences": False}
    weights = random_weights(40, 4, biases=())
    shared = bind_lstm(weights, attributes)
    rows = np.random.default_rng(6).normal(size=(40, 1, 20, COLUMNS)).astype(np.float32)
    expected = [bind_lstm(weights, attributes)(row).tobytes() for row in rows]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            assert [found.tobytes() for found in pool.map(shared, rows)] == expected
