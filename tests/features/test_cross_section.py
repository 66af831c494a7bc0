"""Features over the symbols of a bar: by hand, absent symbols, ties, bars that arrive alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import rankdata

from engine.core.errors import UsageError
from engine.core.types import BAR_COLUMNS
from engine.data.market import Market
from engine.data.next_bar import NextBar
from engine.features.build import build_features
from engine.features.config import CrossSectionalRank, CrossSectionalZscore, LogReturn, Rsi
from engine.features.cross_section import demean_across, rank_across, standardise_across
from engine.features.stream import FeatureStream
from tests.hypothesis_examples import examples

SYMBOLS = ("A", "B", "C", "D")
FEATURES = (LogReturn(), CrossSectionalRank(of=Rsi(window=3)), CrossSectionalZscore())


def market_of(bars: pd.DataFrame, *, rows: int = 400) -> Market:
    """Four symbols: the bars as they are, and three mixed from later stretches of them."""
    tables = {}
    for place, symbol in enumerate(SYMBOLS):
        part = bars.iloc[place * 37 : place * 37 + rows]
        tables[symbol] = part.set_axis(bars.index[:rows])
    long = pd.concat([table.assign(symbol=symbol) for symbol, table in tables.items()])
    ordered = long.reset_index().sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(ordered[list(BAR_COLUMNS)], SYMBOLS, "1d", "24/7", 365.0, {})


@st.composite
def panels(draw) -> np.ndarray:
    """(rows, symbols) with ties and absent symbols; rows without a value are among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.standard_normal((draw(st.integers(1, 30)), draw(st.integers(2, 40))))
    values = np.round(values, int(rng.integers(0, 4))) * rng.choice([1e-9, 1.0, 1e9])
    values[rng.random(values.shape) < rng.choice([0.0, 0.3, 0.9])] = np.nan
    return values


@examples(50)
@given(panels())
def test_ranks_share_ties_and_leave_out_absent_symbols(values: np.ndarray) -> None:
    for row, found in zip(values, rank_across(values), strict=True):
        known = ~np.isnan(row)
        assert np.isnan(found[~known]).all()
        others = known.sum() - 1
        if others > 0:
            expected = (rankdata(row[known]) - 1) / others - 0.5
            np.testing.assert_allclose(found[known], expected, rtol=0, atol=1e-15)
        else:
            assert (found[known] == 0.0).all()


@examples(50)
@given(panels())
def test_zscores_are_those_of_the_known_values_of_the_row(values: np.ndarray) -> None:
    for row, found in zip(values, standardise_across(values), strict=True):
        known = row[~np.isnan(row)]
        assert np.isnan(found[np.isnan(row)]).all()
        if len(known) and np.ptp(known) > 0:
            expected = (known - known.mean()) / known.std()
            np.testing.assert_allclose(found[~np.isnan(row)], expected, rtol=0, atol=1e-6)
        else:
            assert (found[~np.isnan(row)] == 0.0).all()


@pytest.mark.parametrize("compare", [rank_across, demean_across, standardise_across])
@examples(50)
@given(values=panels())
def test_a_row_has_its_bits_whatever_rows_come_with_it(compare, values: np.ndarray) -> None:
    alone = np.vstack([compare(values[row : row + 1]) for row in range(len(values))])
    np.testing.assert_array_equal(alone, compare(values))
    np.testing.assert_array_equal(compare(np.asfortranarray(values)), compare(values))


def test_the_matrix_compares_the_symbols_that_have_features(bars) -> None:
    market = market_of(bars)
    built = build_features(market, FEATURES, ("A", "C", "D"))
    assert built.names[:3] == (
        "A:log_return_1",
        "A:cross_sectional_rank_rsi_3",
        "A:cross_sectional_zscore_log_return_1",
    )
    rsi = build_features(market, (Rsi(window=3),), ("A", "C", "D")).values
    np.testing.assert_array_equal(built.values[:, 1::3], rank_across(rsi))
    np.testing.assert_array_equal(built.values[:, 2::3], standardise_across(built.values[:, 0::3]))


def test_bars_that_arrive_alone_give_the_bits_of_the_matrix(bars) -> None:
    market, count = market_of(bars), len(SYMBOLS)
    batch = build_features(market, FEATURES, SYMBOLS).values
    stream = FeatureStream(FEATURES, SYMBOLS, SYMBOLS, "1d")
    state, start = stream.update(None, market.bars.iloc[: 300 * count])
    rows = [start.features.values]
    for row in range(300, 400):
        arrived = market.bars.iloc[row * count : (row + 1) * count]
        state, streamed = stream.advance(state, NextBar.of_bars(arrived))
        rows.append(streamed.values[None])
    np.testing.assert_array_equal(np.vstack(rows), batch)


def test_a_symbol_without_a_bar_is_not_ranked(bars) -> None:
    market = market_of(bars)
    stream = FeatureStream(FEATURES, SYMBOLS, SYMBOLS, "1d", gaps=True)
    state, _ = stream.update(None, market.bars.iloc[: 300 * 4])
    arrived = market.bars.iloc[300 * 4 : 301 * 4]
    _, three = stream.advance(state, NextBar.of_bars(arrived[arrived["symbol"] != "B"]))
    ranks = three.values[1::3]
    assert np.isnan(ranks[1])
    assert sorted(ranks[[0, 2, 3]]) == [-0.5, 0.0, 0.5]


def test_later_bars_change_no_earlier_rank(bars) -> None:
    market = market_of(bars)
    until = market.until(bars.index[250])
    np.testing.assert_array_equal(
        build_features(until, FEATURES, SYMBOLS).values,
        build_features(market, FEATURES, SYMBOLS).values[:251],
    )


def test_one_symbol_is_refused_and_told_what_to_do(bars) -> None:
    with pytest.raises(UsageError, match="compares the symbols of a bar, and there is one") as e:
        build_features(market_of(bars), FEATURES, ("A",))
    assert "cross_sectional_rank_rsi_3" in str(e.value.where)
    with pytest.raises(UsageError, match="there is one"):
        FeatureStream(FEATURES, SYMBOLS, ("A",), "1d")


def test_a_rank_of_a_rank_is_refused() -> None:
    with pytest.raises(ValidationError, match="not of the cross-section itself"):
        CrossSectionalRank(of=CrossSectionalZscore())
