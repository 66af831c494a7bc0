"""Copies of a history with other bars after some cuts, and what is made of bars by a rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.types import PRICE_COLUMNS
from engine.features.config import LogReturn
from engine.features.resolutions import build_coarse_features, resample_market
from engine.features.target import forward_returns, trailing_returns
from engine.leakage.level_shifts import LevelShifts
from engine.leakage.return_rules import (
    aggregate_coarse_bars,
    suspected_completions,
    suspected_labels,
    suspected_trailing_returns,
)
from engine.testing.markets import make_market
from tests.leakage.peeking import trading_days

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.calendar import BarInterval

MARKET = trading_days(240)
VALUES = [*PRICE_COLUMNS, "volume"]
CUTS = st.sets(st.integers(1, 238), min_size=1, max_size=12).map(
    lambda rows: np.array([row for row in sorted(rows) if row % 3 == 0] or [90])
)


def values(market) -> np.ndarray:
    return market.bars[VALUES].to_numpy().reshape(-1, len(market.symbols), len(VALUES))


@settings(max_examples=8, deadline=None)
@given(cuts=CUTS, seed=st.integers(0, 99), exact=st.booleans())
def test_bars_after_a_cut_stand_at_another_level_up_to_the_next_cut(cuts, seed, exact) -> None:
    shifts = LevelShifts(MARKET, exact=exact)
    made = shifts.alter([cuts, cuts[:1]], np.random.default_rng(seed))
    real, (first, second) = values(MARKET), values(made.market).reshape(2, 240, 2, 5)
    for copy, own in ((first, cuts), (second, cuts[:1])):
        assert (copy[: own[0] + 1] == real[: own[0] + 1]).all()
        level = copy[own[0] + 2 : own[1] + 1 if len(own) > 1 else None]
        ratio = level / real[own[0] + 2 :][: len(level)]
        assert np.allclose(ratio, ratio[:1])
        assert (np.abs(np.log(ratio)) > 0.1).all()
    assert made.market.bars["timestamp"].is_monotonic_increasing
    assert made.places.tolist() == [*cuts, 240 + cuts[0]]


@settings(max_examples=8, deadline=None)
@given(cuts=CUTS, seed=st.integers(0, 99))
def test_a_power_of_two_keeps_the_bits_of_a_ratio(cuts, seed) -> None:
    made = LevelShifts(MARKET, exact=True).alter_in_place(cuts, np.random.default_rng(seed))
    ratio, own = (values(each)[1:] / values(each)[:-1] for each in (made.market, MARKET))
    others = np.ones(239, dtype=bool)
    others[cuts] = others[np.minimum(cuts + 1, 238)] = False
    assert (ratio[others] == own[others]).all()


@settings(max_examples=8, deadline=None)
@given(cuts=CUTS, seed=st.integers(0, 99), exact=st.booleans())
def test_altered_bars_are_valid(cuts, seed, exact) -> None:
    made = LevelShifts(MARKET, exact=exact).alter_in_place(cuts, np.random.default_rng(seed))
    opened, high, low, close, volume = np.moveaxis(values(made.market), -1, 0)
    assert (low <= np.minimum(opened, close)).all()
    assert (high >= np.maximum(opened, close)).all()
    assert (low > 0.0).all()
    assert (volume >= 0.0).all()
    assert made.market.bars["timestamp"].equals(MARKET.bars["timestamp"])


@pytest.mark.parametrize(
    ("market", "interval"),
    [(MARKET, "1w"), (MARKET, "1mo"), (make_market(300), "1w"), (make_market(300), "1mo")],
)
def test_coarser_bars_made_by_their_rule_are_those_of_the_run(
    market, interval: BarInterval
) -> None:
    coarse = build_coarse_features(market, interval, (LogReturn(),), market.symbols)
    assert not len(suspected_completions(market, coarse))
    made = aggregate_coarse_bars(market, coarse)
    assert made is not None
    assert np.array_equal(values(made)[:-1], values(resample_market(market, interval)[0]))


@given(row=st.integers(0, 239))
@settings(max_examples=6, deadline=None)
def test_a_coarser_bar_that_is_known_early_is_suspected(row) -> None:
    coarse = build_coarse_features(MARKET, "1w", (LogReturn(),), MARKET.symbols)
    latest = coarse.latest.copy()
    latest[row] += 1
    assert suspected_completions(MARKET, replace(coarse, latest=latest)).tolist() == [row]


@given(row=st.integers(20, 200), bars=st.integers(1, 15))
@settings(max_examples=6, deadline=None)
def test_a_return_over_other_bars_is_suspected_at_its_row(row, bars) -> None:
    close = MARKET.wide("close")
    ahead, behind = forward_returns(close, bars), trailing_returns(close, bars)
    assert not len(suspected_labels(close.to_numpy(), ahead, bars))
    assert not len(suspected_trailing_returns(close.to_numpy(), behind, bars))

    def wrong(returns: pd.DataFrame) -> pd.DataFrame:
        changed = returns.copy()
        changed.iloc[row, 0] += 1e-6
        return changed

    assert suspected_labels(close.to_numpy(), wrong(ahead), bars).tolist() == [row]
    assert suspected_trailing_returns(close.to_numpy(), wrong(behind), bars).tolist() == [row]
