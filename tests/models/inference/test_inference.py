"""A traced network equals Keras in NumPy, whatever rows are predicted with a row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine.models.inference import NetworkProgram
from engine.models.networks.attention_lstm import ATTENTION_LAYER
from tests.models.inference.keras_networks import COMPUTED_ON_JAX, NETWORKS, ROWS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Traced:
    """A program, weights and inputs, and the outputs of Keras."""

    program: NetworkProgram
    weights: list[np.ndarray]
    inputs: list[np.ndarray]
    outputs: np.ndarray

    def run(self, rows: np.ndarray) -> np.ndarray:
        return self.program.run(self.weights, [part[rows] for part in self.inputs])


def read(folder: Path, name: str) -> Traced:
    program = NetworkProgram.model_validate_json((folder / f"{name}.json").read_text())
    with np.load(folder / f"{name}.npz") as arrays:
        weights, inputs = (
            [arrays[key] for key in sorted(arrays) if key.startswith(kind)]
            for kind in ("weights", "inputs")
        )
        return Traced(program, weights, inputs, arrays["outputs"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """What a process of each backend left."""
    folders = {backend: tmp_path_factory.mktemp(backend) for backend in ("tensorflow", "jax")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.models.inference.keras_networks", str(folder)],
            cwd=ROOT,
            env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"},
        )
        for backend, folder in folders.items()
    ]
    assert [process.wait() for process in processes] == [0, 0]
    return folders


def names(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.npz"))


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_equals_keras(folders, backend) -> None:
    assert set(names(folders[backend])) >= set(
        NETWORKS if backend == "tensorflow" else COMPUTED_ON_JAX
    )
    for name in names(folders[backend]):
        traced = read(folders[backend], name)
        scale = traced.outputs.std()
        computed = traced.run(np.arange(ROWS))
        assert computed.shape == traced.outputs.shape, name
        np.testing.assert_allclose(
            computed, traced.outputs, rtol=0, atol=1e-5 * scale, err_msg=name
        )


def test_both_backends_give_the_same_program(folders) -> None:
    for file in folders["tensorflow"].glob("*.json"):
        assert file.read_text() == (folders["jax"] / file.name).read_text(), file.stem


def test_a_row_has_the_same_bits_alone_and_among_any_others(folders) -> None:
    order = np.random.default_rng(3).permutation(ROWS)
    for name in names(folders["tensorflow"]):
        traced = read(folders["tensorflow"], name)
        together = traced.run(np.arange(ROWS))
        assert traced.run(order).tobytes() == together[order].tobytes(), name
        for row in (0, 33, ROWS - 1):
            assert traced.run(np.array([row])).tobytes() == together[row].tobytes(), name
        for count in (2, 9, 20, 33, 69):
            assert traced.run(np.arange(count)).tobytes() == together[:count].tobytes(), name
        repeated = traced.run(np.full(40, 5))
        assert repeated.tobytes() == together[np.full(40, 5)].tobytes(), name


def test_neighbours_that_are_nan_or_infinite_change_nothing(folders) -> None:
    for name in NETWORKS:
        traced = read(folders["tensorflow"], name)
        together = traced.run(np.arange(ROWS))
        for part in traced.inputs:
            part[1::2] = np.nan
            part[1::4] = np.inf
        assert traced.run(np.arange(ROWS))[::2].tobytes() == together[::2].tobytes(), name


def test_the_attention_weights_are_the_output_of_a_named_layer(folders) -> None:
    traced = read(folders["tensorflow"], "attention_lstm")
    weights = traced.program.run(traced.weights, traced.inputs, layer=ATTENTION_LAYER)
    assert weights.shape == (ROWS, 8)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_what_only_keras_can_compute_is_an_error_that_names_it(folders) -> None:
    messages = json.loads((folders["tensorflow"] / "refused.json").read_text())
    for name, message in messages.items():
        assert message.startswith(f"{name} ("), message
        assert "cannot be computed without Keras" in message
    assert len(messages) == 15
