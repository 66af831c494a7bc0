"""One update of many symbols gives each of them the bits that it has alone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.core.errors import InvalidBarsError, UsageError
from engine.data.market import Market
from engine.data.next_bar import NextBar
from engine.features.base import Indicator, WindowIndicator
from engine.features.config import Beta, LogReturn, Rsi, Vwap
from engine.features.several_symbols import compute_together
from engine.features.stream import FeatureStream
from engine.features.symbol_states import stack_states
from tests.features.two_symbols import KINDS, OTHER
from tests.properties.test_streams import (
    SEEDS,
    assert_numbers_have_the_bits_of_frames,
    draw_parameters,
    random_bars,
    saved,
)

if TYPE_CHECKING:
    from engine.features.base import FeatureSpec

SYMBOLS = ("A", OTHER, "C", "D", "E")
OWN_BARS = [kind for kind in KINDS if issubclass(kind, Indicator)]


def random_market(seed: int, length: int) -> dict[str, pd.DataFrame]:
    """Bars of every symbol at the same timestamps; each has its own still stretches and level."""
    tables = {symbol: random_bars(seed + own, length) for own, symbol in enumerate(SYMBOLS)}
    stamps = tables["A"].index
    return {symbol: table.set_axis(stamps) for symbol, table in tables.items()}


def bar_at(market: dict[str, pd.DataFrame], row: int) -> NextBar:
    values = {symbol: table.iloc[row].to_dict() for symbol, table in market.items()}
    return NextBar(market["A"].index[row], values)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model_fields["kind"].default)
@settings(max_examples=2, deadline=None)
@given(seed=SEEDS)
def test_symbols_that_advance_together_have_the_bits_that_each_has_alone(
    kind: type[FeatureSpec], seed: int
) -> None:
    feature = draw_parameters(kind, np.random.default_rng(seed))
    assume(feature is not None and feature.warmup <= 250)
    start = max(feature.warmup, 1)
    market = random_market(seed, start + 25)
    known = {symbol: table.iloc[:start] for symbol, table in market.items()}
    each = [feature.update_for_symbol(None, known, symbol)[0] for symbol in SYMBOLS]
    together, rows = stack_states(each), []
    for row in range(start, start + 25):
        bar = bar_at(market, row)
        together, values = feature.advance_for_symbols(together, bar, SYMBOLS)
        rows.append(values)
    batch = [feature.compute_for_symbol(market, symbol)[start:] for symbol in SYMBOLS]
    np.testing.assert_array_equal(rows, np.transpose(batch))
    alone = [feature.update_for_symbol(None, market, symbol)[0] for symbol in SYMBOLS]
    np.testing.assert_array_equal(together, stack_states(alone))


def drop_bars(
    market: dict[str, pd.DataFrame], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """A random half of the bars of all but the first symbol, the last one from late on."""
    kept = {"A": market["A"]}
    for symbol in SYMBOLS[1:]:
        table = market[symbol]
        kept[symbol] = table[rng.random(len(table)) < rng.uniform(0.4, 1)]
    kept["E"] = market["E"].iloc[-40:]
    return kept


def long_bars(market: dict[str, pd.DataFrame]) -> pd.DataFrame:
    joined = pd.concat([table.assign(symbol=symbol) for symbol, table in market.items()])
    return joined.reset_index().sort_values("timestamp", kind="stable", ignore_index=True)


def compare_with_own_bars(
    stream: FeatureStream, market: dict[str, pd.DataFrame], alone: int
) -> None:
    """The last timestamps arrive one by one, as numbers and from a saved state."""
    bars, stamps = long_bars(market), market["A"].index
    early = bars["timestamp"] < stamps[-alone]
    cuts = [0, int(early.sum()) // 2, int(early.sum())]
    first = bars["timestamp"].iloc[cuts[1]]
    cuts[1] = int((bars["timestamp"] < first).sum())
    state, parts = None, []
    for begin, end in pairwise(cuts):
        state, streamed = stream.update(state, bars.iloc[begin:end])
        parts.append(streamed.features.values)
    for _, arrived in bars[~early].groupby("timestamp"):
        bar = NextBar.of_bars(arrived)
        state, row = stream.advance(saved(state), bar)
        parts.append(row.values[None])
    found = np.vstack(parts).reshape(len(stamps), len(SYMBOLS), -1)
    for place, symbol in enumerate(SYMBOLS):
        for own, feature in enumerate(stream.features):
            expected = feature.compute(market[symbol]).reindex(stamps)
            np.testing.assert_array_equal(found[:, place, own], expected, feature.name)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_a_symbol_without_a_bar_keeps_its_state(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = [draw_parameters(kind, rng) for kind in OWN_BARS]
    features = tuple(each for each in drawn if each is not None and each.warmup <= 100)
    market = drop_bars(random_market(seed, 300), rng)
    stream = FeatureStream(features, SYMBOLS, SYMBOLS, "1d", gaps=True)
    compare_with_own_bars(stream, market, alone=60)


def test_the_values_of_a_symbol_with_gaps_are_those_of_its_own_bars() -> None:
    market = drop_bars(random_market(3, 90), np.random.default_rng(3))
    features = (LogReturn(), Rsi(window=2), Vwap(window=3))
    stream = FeatureStream(features, SYMBOLS, SYMBOLS, "1d", gaps=True)
    compare_with_own_bars(stream, market, alone=45)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.0, -1.0])
def test_a_price_that_gives_no_value_names_its_symbol_and_leaves_the_state(wrong: float) -> None:
    market = random_market(4, 60)
    stream = FeatureStream((LogReturn(), Rsi(window=2)), SYMBOLS, SYMBOLS, "1d")
    state, _ = stream.update(None, long_bars({s: t[:50] for s, t in market.items()}))
    before = {name: array.copy() for name, array in state.to_arrays().items()}
    market["D"].loc[market["D"].index[50], "close"] = wrong
    with np.errstate(all="ignore"), pytest.raises(InvalidBarsError, match=r"of D has no finite"):
        stream.advance(state, bar_at(market, 50))
    for name, array in state.to_arrays().items():
        np.testing.assert_array_equal(array, before[name], name)


@pytest.mark.parametrize(
    ("chosen", "where"),
    [
        ({"features": (Beta(symbol=OTHER),)}, "features"),
        ({"features": (LogReturn(),), "resolutions": ("1w",)}, "resolutions"),
    ],
)
def test_what_needs_a_bar_of_every_symbol_is_refused_with_gaps(chosen, where: str) -> None:
    with pytest.raises(UsageError, match="symbols with gaps") as caught:
        FeatureStream(market_symbols=SYMBOLS, symbols=SYMBOLS, interval="1d", gaps=True, **chosen)
    assert caught.value.where == where


@pytest.mark.parametrize("symbols", [(), ("A", "NONE")], ids=["none", "another"])
def test_a_bar_with_gaps_is_of_some_symbols_of_the_market(symbols: tuple[str, ...]) -> None:
    market = random_market(5, 20)
    stream = FeatureStream((LogReturn(),), SYMBOLS, SYMBOLS, "1d", gaps=True)
    state, _ = stream.update(None, long_bars({s: t[:10] for s, t in market.items()}))
    values = {symbol: market["A"].iloc[10].to_dict() for symbol in symbols}
    with pytest.raises(InvalidBarsError, match="do not follow"):
        stream.advance(state, NextBar(market["A"].index[10], values))


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(seed=SEEDS, days=st.integers(20, 40))
def test_coarse_bars_of_many_symbols_that_arrive_as_numbers_have_the_bits_of_frames(
    seed: int, days: int
) -> None:
    market = random_market(seed, 24 * days)
    stamps = pd.date_range("2020-01-05 05:00", periods=24 * days, freq="h", tz="UTC")
    keep = np.random.default_rng(seed).random(len(stamps)) < 0.9
    bars = long_bars({s: t.set_axis(stamps.rename("timestamp"))[keep] for s, t in market.items()})
    features = (LogReturn(), Rsi(window=2), Vwap(window=3), Beta(symbol=OTHER, window=10))
    stream = FeatureStream(features, SYMBOLS, SYMBOLS, "1h", ("4h", "1d"))
    start = len(SYMBOLS) * (int(keep.sum()) - 150)
    known, _ = stream.update(None, bars.iloc[:start])
    assert_numbers_have_the_bits_of_frames(stream, known, bars.iloc[start:], SYMBOLS)


@pytest.mark.parametrize("count", [2, 40])
@pytest.mark.parametrize(
    "kind",
    [kind for kind in OWN_BARS if issubclass(kind, WindowIndicator | Rsi)],
    ids=lambda kind: kind.model_fields["kind"].default,
)
@settings(max_examples=2, deadline=None)
@given(seed=SEEDS)
def test_symbols_that_are_computed_together_have_the_bits_that_each_has_alone(
    kind: type[Indicator], count: int, seed: int
) -> None:
    feature = draw_parameters(kind, np.random.default_rng(seed))
    assume(feature is not None and feature.warmup <= 250)
    length, names = feature.warmup + 80, [f"S{number:02d}" for number in range(count)]
    tables = {name: random_bars(seed + own, length) for own, name in enumerate(names)}
    stamps = tables["S00"].index
    bars = pd.concat(
        table.set_axis(stamps).rename_axis("timestamp").reset_index().assign(symbol=name)
        for name, table in tables.items()
    ).sort_values(["timestamp", "symbol"], ignore_index=True)
    market = Market(bars, tuple(names), "1d", "24/7", 365.25, {})
    together = compute_together(feature, market, names[::-1])
    alone = [feature.compute(market.bars_by_symbol[name]) for name in names[::-1]]
    np.testing.assert_array_equal(together, np.transpose(alone))
