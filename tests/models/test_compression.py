"""Pruned and quantised networks: which weights change, by how much, and what they predict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.core.errors import TrainingError
from engine.models import Ensemble, FittedForecaster, Ridge
from engine.models.compression import compress, measure_size
from engine.models.deployment import DeploySpec
from engine.models.fitted_model import FittedModel
from engine.models.model_file import decode_model, encode_model
from engine.models.quantisation import decode_weights, prune, quantise
from engine.testing import make_example
from tests.models.hand_networks import make_network

MATRICES = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=3, max_side=6),
    elements=st.floats(-8, 8, width=32),
)


@given(MATRICES)
def test_a_quantised_weight_differs_by_at_most_half_a_step_of_its_channel(matrix) -> None:
    integers, scale = quantise(matrix)
    assert integers.dtype == np.int8
    assert scale.shape == matrix.shape[-1:]
    error = np.abs(integers.astype(np.float32) * scale - matrix)
    assert (error <= 0.5001 * scale).all()


@given(MATRICES, st.floats(0, 0.99))
def test_pruning_removes_the_weights_of_smallest_magnitude(matrix, share) -> None:
    pruned = prune(matrix, share)
    removed = (pruned != matrix).reshape(-1)
    sizes = np.abs(matrix).reshape(-1)
    assert removed.sum() <= int(share * matrix.size)
    assert (pruned.reshape(-1)[removed] == 0).all()
    assert int((pruned == 0).sum()) >= int(share * matrix.size)
    assert sizes[removed].max(initial=0) <= sizes[pruned.reshape(-1) != 0].min(initial=np.inf)


def test_a_bias_stays_as_it_is() -> None:
    fitted = make_network()
    deployed = compress(fitted, DeploySpec(precision="int8", prune=0.5))
    matrix, bias = decode_weights(deployed)
    assert bias.tobytes() == fitted.weights[1].tobytes()
    assert np.count_nonzero(matrix) == 3


def test_predictions_are_those_of_the_decoded_weights() -> None:
    fitted, window = make_network(), make_example()
    deployed = compress(fitted, DeploySpec(precision="int8"))
    decoded = replace(fitted, weights=decode_weights(deployed))
    rows = window.training_set.validation
    one, two = (each.predict(window.inputs, rows).returns for each in (deployed, decoded))
    assert one.tobytes() == two.tobytes()
    full = fitted.predict(window.inputs, rows).returns
    assert 0 < np.abs(one - full).max() < 0.05 * full.std()


def test_8_bits_take_a_quarter_of_the_bytes_and_a_scale_for_each_channel() -> None:
    fitted = make_network()
    full = measure_size(fitted)
    deployed = measure_size(compress(fitted, DeploySpec(precision="int8", prune=0.5)))
    assert (full.parameters, full.size_bytes) == (7, 28)
    assert (deployed.parameters, deployed.nonzero, deployed.size_bytes) == (7, 4, 6 + 4 + 4)


def test_a_deployed_network_comes_back_from_its_file() -> None:
    window = make_example()
    deployed = compress(make_network(), DeploySpec(precision="int8"))
    model = FittedModel(deployed, np.zeros(1), np.zeros(1), np.zeros((1, 1)))
    again = decode_model(encode_model("", model)).forecaster
    rows = window.training_set.validation
    one, two = (each.predict(window.inputs, rows).returns for each in (deployed, again))
    assert one.tobytes() == two.tobytes()


def test_of_an_ensemble_the_networks_are_compressed() -> None:
    network, ridge = make_network(), FittedForecaster(Ridge(), (np.ones((2, 3)),))
    ensemble = FittedForecaster(
        Ensemble(members=(network.model, Ridge())), members=(network, ridge)
    )
    deployed = compress(ensemble, DeploySpec(precision="int8"))
    assert deployed.members[0].weights[0].dtype == np.int8
    assert deployed.members[1] is ridge


def test_a_network_that_only_keras_computes_is_an_error() -> None:
    fitted = make_network()
    with_keras = replace(fitted, state={**fitted.state, "program": None})
    with pytest.raises(TrainingError, match="only Keras can compute"):
        compress(with_keras, DeploySpec(prune=0.1))
