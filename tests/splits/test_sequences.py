from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.splits.sequences import lookback_sequences


def test_sequence_i_holds_the_rows_from_i_on() -> None:
    values = np.arange(12.0).reshape(6, 2)
    cube = lookback_sequences(values, 4)
    assert cube.shape == (3, 4, 2)
    for first in range(3):
        np.testing.assert_array_equal(cube[first], values[first : first + 4])


def test_sequences_are_views_and_cost_no_memory() -> None:
    values = np.zeros((1000, 5))
    assert np.shares_memory(lookback_sequences(values, 60), values)


def test_sequences_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        lookback_sequences(np.zeros((10, 2)), 3)[0, 0, 0] = 1


def test_a_lookback_of_all_rows_is_one_sequence() -> None:
    values = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(lookback_sequences(values, 3), values[np.newaxis])


def test_a_lookback_longer_than_the_bars_is_refused() -> None:
    with pytest.raises(UsageError, match="fewer bars than one lookback") as caught:
        lookback_sequences(np.zeros((5, 2)), 6)
    assert caught.value.where == "model.lookback"
