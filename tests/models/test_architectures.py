"""Architectures of networks by their configuration; nothing is trained."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.models import CnnLstm, Tcn, Transformer
from engine.models.networks.transformer import sinusoidal_positions


def test_presets_equal_the_paper_and_yield_to_given_values() -> None:
    one, two = CnnLstm(preset="model1"), CnnLstm(preset="model2")
    assert (one.filters, one.units, one.dense, one.lstm_dropout) == (16, 50, 64, 0.4)
    assert (two.filters, two.units, two.dense, two.lstm_dropout) == (32, 50, 128, 0.5)
    assert CnnLstm(preset="model2", filters=8).filters == 8


@given(st.integers(2, 500), st.integers(2, 16))
def test_a_tcn_has_the_fewest_blocks_that_cover_the_lookback(lookback, kernel) -> None:
    depth = Tcn(lookback=lookback, kernel=kernel).depth
    oldest_seen = sum(2 * (kernel - 1) * 2**block for block in range(depth))
    assert oldest_seen >= lookback - 1
    assert depth == 1 or oldest_seen - 2 * (kernel - 1) * 2 ** (depth - 1) < lookback - 1


def test_a_tcn_may_have_fewer_blocks() -> None:
    assert Tcn(lookback=100, blocks=2).depth == 2


def test_a_width_that_is_no_multiple_of_heads_is_an_error() -> None:
    with pytest.raises(ValidationError, match="make width a multiple of heads"):
        Transformer(width=30, heads=4)


def test_positional_encodings_equal_the_paper() -> None:
    expected = [
        [np.sin(0), np.cos(0), np.sin(0), np.cos(0)],
        [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)],
        [np.sin(2), np.cos(2), np.sin(0.02), np.cos(0.02)],
    ]
    np.testing.assert_allclose(sinusoidal_positions(3, 4), expected, rtol=1e-6)


@pytest.mark.parametrize("width", [2, 5, 32])
def test_positional_encodings_of_all_steps_differ(width) -> None:
    table = sinusoidal_positions(500, width)
    assert table.shape == (500, width)
    assert len(np.unique(table.round(6), axis=0)) == 500
