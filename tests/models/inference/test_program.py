"""Programs without Keras: their form, their chunks, and their independence of threads."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from engine.models.inference import NetworkProgram
from engine.models.inference.linear import MAX_PRODUCTS, batch_matmul, matmul

TEXT = """{
  "input_shapes": [[2, 3]],
  "operations": [
    {"kind": "reshape", "inputs": [0], "attributes": {"sizes": [6]}},
    {"kind": "dense", "inputs": [2], "weights": [0, 1]},
    {"kind": "relu", "inputs": [3]}
  ],
  "output": 4,
  "layers": {"before": 3},
  "chunk_rows": 40
}"""
PROGRAM = NetworkProgram.model_validate_json(TEXT)
RNG = np.random.default_rng(1)
WEIGHTS = [RNG.normal(size=(6, 2)).astype(np.float32), np.float32([0.5, -0.5])]
ROWS = RNG.normal(size=(95, 2, 3)).astype(np.float32)


def test_computes_the_operations_in_order() -> None:
    expected = ROWS.reshape(95, 6) @ WEIGHTS[0] + WEIGHTS[1]
    np.testing.assert_allclose(
        PROGRAM.run(WEIGHTS, [ROWS], layer="before"), expected, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        PROGRAM.run(WEIGHTS, [ROWS]), np.maximum(expected, 0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("count", [0, 1, 8, 9, 10, 11, 40, 41, 50, 51, 90, 95])
def test_any_number_of_rows_gives_the_bits_of_the_first_rows(count) -> None:
    outputs = PROGRAM.run(WEIGHTS, [ROWS[:count]])
    assert outputs.shape == (count, 2)
    assert outputs.tobytes() == PROGRAM.run(WEIGHTS, [ROWS])[:count].tobytes()


@pytest.mark.parametrize("count", [128, 129, 130, 192, 193, 300])
def test_rows_of_large_chunks_have_the_bits_of_small_ones(count) -> None:
    """A forecast of 130 rows is one chunk of 128 and a small one, not one padded to 256."""
    rows = RNG.normal(size=(count, 2, 3)).astype(np.float32)
    large = PROGRAM.model_copy(update={"chunk_rows": 512})
    assert large.run(WEIGHTS, [rows]).tobytes() == PROGRAM.run(WEIGHTS, [rows]).tobytes()


def test_later_calls_leave_earlier_outputs_as_they_were() -> None:
    bound = PROGRAM.bind(WEIGHTS)
    first = bound.run([ROWS[:1]])
    kept = first.copy()
    assert bound.run([ROWS[1:2]]).tobytes() != kept.tobytes()
    assert first.tobytes() == kept.tobytes()


def test_is_json_and_comes_back_equal() -> None:
    assert NetworkProgram.model_validate_json(PROGRAM.model_dump_json()) == PROGRAM


def test_an_unknown_operation_is_an_error() -> None:
    with pytest.raises(ValidationError, match="unknown operation 'rely'"):
        NetworkProgram.model_validate_json(TEXT.replace('"relu"', '"rely"'))


@pytest.mark.parametrize("columns", [1, 7, 64, 300])
def test_equal_rows_have_equal_products(columns) -> None:
    kernel = RNG.normal(size=(50, columns)).astype(np.float32)
    products = matmul(np.repeat(RNG.normal(size=(1, 50)).astype(np.float32), 37, axis=0), kernel)
    assert (products == products[0]).all()


def test_large_products_do_not_depend_on_the_number_of_threads() -> None:
    x, kernel = RNG.normal(size=(2, 1000)), RNG.normal(size=(1000, 1000))
    left, right = RNG.normal(size=(1, 300, 64)), RNG.normal(size=(1, 64, 300))
    assert min(kernel.size, left.size * 300) > 4 * MAX_PRODUCTS
    products = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            dense = matmul(x.astype(np.float32), kernel.astype(np.float32))
            batch = batch_matmul(left.astype(np.float32), right.astype(np.float32))
        products.append(dense.tobytes() + batch.tobytes())
    assert products[0] == products[1]


@pytest.mark.slow
def test_needs_no_network_library() -> None:
    script = (
        "import sys\n"
        "from engine.models.inference import NetworkProgram\n"
        "print(sorted({'keras', 'tensorflow', 'jax'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
