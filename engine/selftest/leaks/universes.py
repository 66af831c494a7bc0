"""Leaks in a universe: members, listings and delistings that are known too early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from engine.core.types import BoolMatrix, WideFrame
    from engine.selftest.leaks.planting import Function, Plant


def _one_bar_early(honest: Function, _: Plant) -> Function:
    def at(*arguments: Any) -> BoolMatrix:
        members = honest(*arguments)
        return np.vstack([members[1:], members[-1:]])

    return at


def _survivors_alone(honest: Function, _: Plant) -> Function:
    def split(panel: Any, symbol: str, rows: Any) -> Any:
        own = honest(panel, symbol, rows)
        is_listed = bool(panel.present[symbol].iloc[-5:].any())
        return own if is_listed else type(own)(own.index, range(0), range(0), own.test, own.needed)

    return split


def _left_one_bar_early(honest: Function, _: Plant) -> Function:
    def compute(rule: Any, close: WideFrame, *rest: Any) -> WideFrame:
        *others, eligible = rest
        if eligible is not None:
            later = eligible.to_numpy()
            later = np.vstack([later[1:], later[-1:]])
            eligible = pd.DataFrame(later, eligible.index, eligible.columns)
        weights: WideFrame = honest(rule, close, *others, eligible)
        return weights

    return compute


UNIVERSES: tuple[Leak, ...] = (
    Leak(
        "members: one bar early",
        "who belongs to the universe is known one bar before",
        "scaled inputs",
        "engine.data.membership.Membership.at",
        _one_bar_early,
        needs_panel=True,
    ),
    Leak(
        "train: survivors alone",
        "symbols that have no bars at the end of the history are not trained on",
        "training arrays",
        "engine.training.panel_rows.PanelRows.split",
        _survivors_alone,
        needs_panel=True,
    ),
    Leak(
        "rule: left one bar early",
        "benchmark rules leave a symbol one bar before it is delisted or no member any more",
        "positions",
        "engine.signals.benchmarks.compute_benchmark_weights",
        _left_one_bar_early,
        needs_panel=True,
    ),
)
"""Members and survivors that only later bars tell."""
