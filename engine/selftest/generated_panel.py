"""A strategy of several symbols on a generated panel: listings, halts, delistings and members."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from engine.data import VALUE_COLUMNS
from engine.data.membership import Membership, MemberSpan
from engine.data.universe_config import DelistingSpec
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.strategy import Strategy

if TYPE_CHECKING:
    from engine.core.types import BoolMatrix
    from engine.data import Market

PANEL_STRATEGY = {
    "name": "panel",
    "data": {"dataset": "generated", "targets": "all"},
    "inputs": "target",
    "features": [{"kind": "log_return"}, {"kind": "volatility", "window": 5}],
    "windows": {"train": 150, "validation": 30, "test": 40},
    "model": {"kind": "ridge", "lookback": 3},
    "scope": "pooled",
    "signal": {"kind": "threshold", "enter_bps": 0, "exit_bps": 0, "side": "long_short"},
    "costs": {"fee_bps": 2, "slippage_bps": 1},
}

_BARS = 420
_MEMBER_DAYS = 23
"""Days after which the membership of a symbol changes, so that most cutoffs are near a change."""


def panel_strategy() -> Strategy:
    """A pooled ridge on both sides."""
    return Strategy.model_validate(PANEL_STRATEGY)


def generate_panel(rng: np.random.Generator) -> Market:
    """Five symbols: one with all bars, one listed late, one halted, two delisted."""
    symbols = tuple(f"S{number}" for number in range(1, 6))
    whole = generate_market(rng, _BARS, BarPattern(symbols=symbols))
    present = _draw_presence(rng)
    values = whole.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64, copy=True)
    values.reshape(_BARS, len(symbols), -1)[~present] = np.nan
    panel = whole.with_values(values)
    return replace(
        panel, membership=_draw_members(panel), delisting=DelistingSpec(delisting_return=-0.3)
    )


def _draw_presence(rng: np.random.Generator) -> BoolMatrix:
    present = np.ones((_BARS, 5), dtype=np.bool_)
    present[: int(rng.integers(60, 120)), 1] = False
    for begin in rng.integers(50, _BARS - 10, 12).tolist():
        present[begin : begin + int(rng.integers(1, 5)), 2] = False
    present[int(rng.integers(300, 330)) :, 3] = False
    present[int(rng.integers(340, 370)) :, 4] = False
    return present


def _draw_members(panel: Market) -> Membership:
    """The last two symbols are members now and then, the others always."""
    first = panel.present.index[0].date()
    spans = [MemberSpan(symbol, first) for symbol in panel.symbols[:3]]
    for place, symbol in enumerate(panel.symbols[3:]):
        begin = first + timedelta(days=11 * place)
        while begin < panel.present.index[-1].date():
            spans.append(MemberSpan(symbol, begin, begin + timedelta(days=_MEMBER_DAYS)))
            begin += timedelta(days=_MEMBER_DAYS + 7)
    return Membership(tuple(sorted(spans)))
