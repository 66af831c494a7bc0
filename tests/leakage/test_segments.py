"""Markets with altered bars after many cuts: what is altered, what is kept, and where to cut."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.types import PRICE_COLUMNS
from engine.leakage.feature_cuts import CUTS_PER_KIND, find_special_cuts
from engine.leakage.segments import SEGMENT_BARS, SegmentAlteration
from engine.testing.markets import make_market
from tests.hypothesis_examples import examples
from tests.leakage.peeking import trading_days

if TYPE_CHECKING:
    from engine.data import Market

BARS = 240
UNEVEN, EVEN = trading_days(BARS), make_market(BARS)
VALUES = [*PRICE_COLUMNS, "volume"]
CUTS = st.lists(st.integers(1, BARS - 2), min_size=1, max_size=20).map(
    lambda rows: [row for row in sorted(set(rows)) if row % (SEGMENT_BARS + 2) == 0] or [100]
)


def values(market: Market) -> np.ndarray:
    return market.bars[VALUES].to_numpy().reshape(-1, len(market.symbols), len(VALUES))


@examples(20)
@given(cuts=CUTS, seed=st.integers(0, 99), even=st.booleans())
def test_only_the_bars_right_after_a_cut_are_altered_or_missing(cuts, seed, even) -> None:
    market = EVEN if even else UNEVEN
    made = SegmentAlteration(market).alter(cuts, np.random.default_rng(seed))
    near = {cut + step for cut in cuts for step in range(1, SEGMENT_BARS + 1)}
    missing = set(range(BARS)) - set(made.rows.tolist())
    assert missing <= near
    assert not (even and missing)
    assert set(made.rows[made.altered].tolist()) == {row for row in near if row < BARS} - missing
    real, other = values(market)[made.rows], values(made.market)
    assert (other[~made.altered] == real[~made.altered]).all()
    assert (other[made.altered] != real[made.altered]).all()
    opened, high, low, close, volume = np.moveaxis(other, -1, 0)
    assert (low <= np.minimum(opened, close)).all()
    assert (high >= np.maximum(opened, close)).all()
    assert (low > 0.0).all()
    assert (volume > 0.0).all()


@examples(20)
@given(cuts=CUTS, seed=st.integers(0, 99))
def test_a_distance_counts_the_real_bars_since_the_last_segment(cuts, seed) -> None:
    made = SegmentAlteration(UNEVEN).alter(cuts, np.random.default_rng(seed))
    count = None
    for place, row in enumerate(made.rows.tolist()):
        after_gap = place > 0 and row - made.rows[place - 1] > 1
        if made.altered[place] or after_gap:
            count = 0 if made.altered[place] else 1
        elif count is not None:
            count += 1
        expected = len(made.rows) if count is None else count
        assert made.distances()[place] == expected


@examples(20)
@given(cuts=CUTS, seed=st.integers(0, 99), place=st.integers(0, 99))
def test_the_real_bars_are_restored_up_to_one_cut(cuts, seed, place) -> None:
    alteration = SegmentAlteration(UNEVEN)
    made = alteration.alter(cuts, np.random.default_rng(seed))
    cut = cuts[place % len(cuts)]
    restored = alteration.restore_before(made, cut)
    assert (values(restored)[: cut + 1] == values(UNEVEN)[: cut + 1]).all()
    late = made.rows > cut
    assert (values(restored)[cut + 1 :] == values(made.market)[late]).all()
    assert restored.bars["timestamp"].is_monotonic_increasing


def test_altered_bars_move_further_than_any_real_one() -> None:
    made = SegmentAlteration(UNEVEN).alter(range(10, 230, 10), np.random.default_rng(0))
    moves = np.abs(np.diff(np.log(values(UNEVEN)[:, :, 3]), axis=0))
    close = np.log(values(made.market)[:, :, 3])
    first = np.flatnonzero(made.altered & (np.diff(made.rows, prepend=0) == 1))
    first = first[~made.altered[first - 1]]
    after = np.abs(close[first] - close[first - 1])
    assert (after > moves.max(axis=0)).all()
    assert set(np.sign(close[first] - close[first - 1])[:, 0]) == {-1.0, 1.0}


def test_a_source_without_volume_stays_one() -> None:
    nothing = replace(UNEVEN, bars=UNEVEN.bars.assign(volume=np.nan))
    made = SegmentAlteration(nothing).alter([50, 100], np.random.default_rng(0))
    assert made.market.bars["volume"].isna().all()


@pytest.fixture(scope="module")
def special() -> dict[str, np.ndarray]:
    market = trading_days(2_000)
    fills = pd.DatetimeIndex(market.bars["timestamp"].unique()[[300, 700]])
    return find_special_cuts(market, fills, 100, 1_998, np.random.default_rng(0))


def test_special_bars_are_what_they_are_called(special) -> None:
    market = trading_days(2_000)
    days = pd.DatetimeIndex(market.bars["timestamp"].unique())
    assert all(days[row].month != days[row + 1].month for row in special["end of month"])
    assert all(days[row].year != days[row + 1].year for row in special["end of year"])
    assert all(days[row + 1] - days[row] > pd.Timedelta(days=1) for row in special["end of week"])
    assert special["filled order"].tolist() == [300, 700]
    assert special["before a filled order"].tolist() == [299, 699]
    returns = market.wide("close").pct_change().to_numpy()
    assert (returns[special["before a large fall"] + 1].min(axis=1) < -0.03).all()
    assert (returns[special["large rise"]].max(axis=1) > 0.03).all()


def test_special_bars_are_few_of_a_kind_and_have_a_bar_after_them(special) -> None:
    for rows in special.values():
        assert 0 < len(rows) <= CUTS_PER_KIND
        assert (np.diff(rows) > 0).all()
        assert rows[0] >= 100
        assert rows[-1] <= 1_998
    assert "without volume" not in special
