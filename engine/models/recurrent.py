"""The recurrent layer that every network here uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.models.untyped import Tensor

UNROLL_UP_TO = 32
"""Longest sequence whose recurrence is unrolled on TensorFlow, where that halves a fit's time.

XLA unrolled takes a third off a fit, and ten times as long to compile.
"""


def lstm(
    x: Tensor, units: int, *, every_step: bool = False, bidirectional: bool = False
) -> Tensor:
    """A long short-term memory layer over (batch, steps, channels).

    Hochreiter & Schmidhuber (1997), with forget gates.

    Args:
        x: The sequence.
        units: Size of the state.
        every_step: Return (batch, steps, units) instead of the last state (batch, units).
        bidirectional: A second layer reads the sequence backwards; the outputs are concatenated.
            Both see only the lookback, which ends at the bar of the decision.
    """
    import keras

    unroll = keras.backend.backend() == "tensorflow" and x.shape[1] <= UNROLL_UP_TO
    layer = keras.layers.LSTM(units, return_sequences=every_step, unroll=unroll)
    return (keras.layers.Bidirectional(layer) if bidirectional else layer)(x)
