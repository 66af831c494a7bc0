"""Mirrored bars: every rise after a row is a fall, and what came before is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.data import VALUE_COLUMNS
from engine.leakage.mirrored_bars import mirror_after
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.generated_panel import generate_panel

ROW = 40


def test_every_span_after_the_row_has_the_other_direction_and_earlier_bars_stay() -> None:
    market = generate_market(np.random.default_rng(2), 120, BarPattern(symbols=("AAA", "BBB")))
    mirrored = mirror_after(market, ROW)
    for name in VALUE_COLUMNS:
        kept, other = market.wide(name), mirrored.wide(name)
        pd.testing.assert_frame_equal(other.iloc[: ROW + 1], kept.iloc[: ROW + 1])
    moves, turned = (
        np.log(each.wide("close")).diff().iloc[ROW + 1 :] for each in (market, mirrored)
    )
    np.testing.assert_allclose(turned, -moves, atol=1e-12)


def test_mirrored_bars_are_valid_and_trade_where_the_real_ones_do() -> None:
    market = generate_market(np.random.default_rng(3), 120, BarPattern(symbols=("AAA", "BBB")))
    opened, high, low, close, volume = (
        mirror_after(market, ROW).wide(name).to_numpy() for name in VALUE_COLUMNS
    )
    assert (low <= np.minimum(opened, close)).all()
    assert (high >= np.maximum(opened, close)).all()
    assert ((volume > 0) == (market.wide("volume").to_numpy() > 0)).all()


def test_a_panel_has_the_same_bars_afterwards() -> None:
    panel = generate_panel(np.random.default_rng(4))
    mirrored = mirror_after(panel, ROW)
    pd.testing.assert_frame_equal(mirrored.present, panel.present)
    known = mirrored.bars["close"].dropna()
    assert len(known) == len(panel.bars["close"].dropna())
    assert (known > 0).all()
