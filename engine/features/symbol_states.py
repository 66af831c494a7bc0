"""The states of one feature for several symbols: one array with a leading axis of symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.features.window_state import FeatureState

SymbolStates: TypeAlias = "FeatureState | tuple[FeatureState | None, ...]"
"""One array, its first axis the symbols; or an array each, where their shapes differ or a symbol
has had no bar (None)."""


def stack_states(states: Sequence[FeatureState | None]) -> SymbolStates:
    """The states of several symbols; one array where each has one and their shapes are equal."""
    found = [state for state in states if state is not None]
    if len(found) < len(states) or len({state.shape for state in found}) > 1:
        return tuple(states)
    return np.array(found)


def take_states(states: SymbolStates, places: Sequence[int]) -> SymbolStates:
    """The states of some symbols, by their places, ascending."""
    if len(places) == len(states):
        return states
    if isinstance(states, tuple):
        return stack_states([states[place] for place in places])
    return states[list(places)]


def replace_states(
    states: SymbolStates, places: Sequence[int], following: SymbolStates
) -> SymbolStates:
    """The states after those of some symbols have changed; the others' are as they were."""
    if len(places) == len(states):
        return following
    match states, following:
        case np.ndarray(), np.ndarray() if states.shape[1:] == following.shape[1:]:
            joined = states.copy()
            joined[list(places)] = following
            return joined
    parts = list(states)
    for place, state in zip(places, following, strict=True):
        parts[place] = state
    return stack_states(parts)
