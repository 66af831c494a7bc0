"""The streaming form of features gives the bits of the batch form, however the bars arrive."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args, get_origin

import annotated_types as at
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.data.next_bar import NextBar
from engine.features.build import build_features
from engine.features.config import Beta, LogReturn, Rsi, TurnOfMonth, Vwap
from engine.features.resolutions import build_coarse_features
from engine.features.stream import FeatureStream
from engine.features.stream_state import StreamState
from tests.features.two_symbols import KINDS, OTHER, OWN, second_symbol, with_defaults
from tests.hypothesis_examples import examples
from tests.properties.plausible_markets import plausible_market

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data import Market
    from engine.features.base import FeatureSpec
    from engine.features.build import FeatureMatrix
    from engine.features.stream import StreamedFeatures
    from engine.features.window_state import FeatureState

SEEDS = st.integers(0, 2**32 - 1)
LONGEST = 20
"""Largest number above a parameter's least that is tried: the rest are the same formulas."""


def draw_parameters(kind: type[FeatureSpec], rng: np.random.Generator) -> FeatureSpec | None:
    """A feature with random parameters within their bounds; None where they exclude each other."""
    drawn: dict[str, object] = {}
    for name, field in kind.model_fields.items():
        low = next((m.ge for m in field.metadata if isinstance(m, at.Ge)), 0)
        if name == "symbol":
            drawn[name] = OTHER
        elif name == "of":
            drawn[name] = draw_parameters([Rsi, LogReturn, Vwap][int(rng.integers(3))], rng)
        elif get_origin(field.annotation) is Literal:
            drawn[name] = str(rng.choice(get_args(field.annotation)))
        elif field.annotation is int:
            high = next((m.le for m in field.metadata if isinstance(m, at.Le)), 1000)
            drawn[name] = int(rng.integers(low, min(high, low + LONGEST) + 1))
        else:
            drawn[name] = float(rng.uniform(0.05, 0.95))
    try:
        return kind.model_validate(drawn)
    except ValidationError:
        return None


def random_bars(seed: int, length: int) -> pd.DataFrame:
    """Hours or days with gaps; stretches without moves or volume; now and then a huge value."""
    rng = np.random.default_rng(seed)
    moves = rng.standard_t(3, length) * rng.choice([0.0005, 0.03])
    volume = rng.lognormal(0, 3, length) * rng.choice([1, 1, 1, 1e13], length)
    for still in (moves, volume):
        start = rng.integers(length)
        still[start : start + rng.integers(60)] = 0
    close = rng.choice([1e-6, 100, 1e9]) * np.exp(np.cumsum(moves))
    opened = close * np.exp(-moves)
    step = str(rng.choice(["h", "D"]))
    stamps = pd.date_range("1999-12-27", periods=2 * length, freq=step, tz="UTC", unit="us")
    return pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * np.exp(np.abs(moves)),
            "low": np.minimum(opened, close) * np.exp(-np.abs(moves)),
            "close": close,
            "volume": volume,
        },
        index=stamps[stamps.day_of_week < 5][:length].rename("timestamp"),
    )


def fold(
    feature: FeatureSpec,
    market: dict[str, pd.DataFrame],
    cuts: Sequence[int],
    state: FeatureState | None = None,
) -> tuple[FeatureState | None, pd.Series[float]]:
    """The state and the values after bars that arrive in parts between the cuts."""
    parts = []
    for start, end in pairwise(cuts):
        arrived = {symbol: bars.iloc[start:end] for symbol, bars in market.items()}
        state, values = feature.update_for_symbol(state, arrived, OWN)
        parts.append(values)
    return state, pd.concat(parts)


def random_cuts(rng: np.random.Generator, length: int) -> list[int]:
    """Some bars that arrive alone, and parts of any length between them."""
    singles = rng.integers(0, length, 4)
    return sorted({0, length, *rng.integers(0, length, 4), *singles, *(singles + 1)})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model_fields["kind"].default)
@examples(12)
@given(seed=SEEDS)
def test_the_streaming_form_of_every_kind_gives_the_bits_of_its_batch_form(
    kind: type[FeatureSpec], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    feature = draw_parameters(kind, rng)
    assume(feature is not None)
    length = min(feature.warmup, 250) + 60
    bars = random_bars(seed, length)
    market = {OWN: bars, OTHER: second_symbol(bars)}
    _, streamed = fold(feature, market, random_cuts(rng, length))
    batch = feature.compute_for_symbol(market, OWN)
    np.testing.assert_array_equal(streamed, batch)
    assert streamed.index.equals(bars.index)
    assert streamed.name == feature.name


@pytest.mark.parametrize("feature", with_defaults(), ids=lambda feature: feature.kind)
def test_bars_may_arrive_one_at_a_time_and_a_state_does_not_grow(feature: FeatureSpec) -> None:
    filled = feature.warmup + 5
    bars = random_bars(7, filled + 40)
    market = {OWN: bars, OTHER: second_symbol(bars)}
    early, first = fold(feature, market, range(min(filled, 30) + 1))
    full, middle = fold(feature, market, [len(first), filled + 1], early)
    late, last = fold(feature, market, range(filled + 1, len(bars) + 1), full)
    np.testing.assert_array_equal(
        pd.concat([first, middle, last]), feature.compute_for_symbol(market, OWN)
    )
    assert late.size == full.size
    again, _ = fold(feature, market, [filled + 1, len(bars)], full)
    np.testing.assert_array_equal(again, late)  # the state in between is as it was


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model_fields["kind"].default)
@examples(6)
@given(seed=SEEDS)
def test_a_bar_that_arrives_as_numbers_gives_the_bits_of_the_batch_form(
    kind: type[FeatureSpec], seed: int
) -> None:
    feature = draw_parameters(kind, np.random.default_rng(seed))
    assume(feature is not None)
    start = min(feature.warmup, 250)
    assume(start == feature.warmup)
    bars = random_bars(seed, start + 30)
    market = {OWN: bars, OTHER: second_symbol(bars)}
    batch = feature.compute_for_symbol(market, OWN)
    state, _ = fold(feature, market, [0, max(start, 1)])
    for row in range(max(start, 1), len(bars)):
        bar = NextBar(
            bars.index[row],
            {symbol: table.iloc[row].to_dict() for symbol, table in market.items()},
        )
        of_frames, _ = fold(feature, market, [row, row + 1], state)
        state, value = feature.advance_for_symbol(state, bar, OWN)
        np.testing.assert_array_equal(value, batch.iloc[row])
        np.testing.assert_array_equal(state, of_frames)


def saved(state: StreamState) -> StreamState:
    """The state that was written to a file and read again."""
    file = io.BytesIO()
    np.savez(file, **state.to_arrays())
    file.seek(0)
    with np.load(file) as arrays:
        return StreamState.from_arrays(dict(arrays))


def fold_market(
    stream: FeatureStream, market: Market, cuts: Sequence[int]
) -> list[StreamedFeatures]:
    """The features of bars that arrive in parts, by a state that is read from a file each time."""
    stamps = market.bars["timestamp"]
    unique, state, parts = stamps.unique(), None, []
    for start, end in pairwise(cuts):
        arrived = market.bars[stamps.isin(unique[start:end])]
        state, features = stream.update(state and saved(state), arrived)
        parts.append(features)
    return parts


def assert_equal_matrix(parts: Sequence[FeatureMatrix], batch: FeatureMatrix) -> None:
    np.testing.assert_array_equal(np.vstack([part.values for part in parts]), batch.values)
    assert [stamp for part in parts for stamp in part.timestamps] == [*batch.timestamps]
    assert {(part.names, part.symbol_columns, part.warmup) for part in parts} == {
        (batch.names, batch.symbol_columns, batch.warmup)
    }


FEATURES = (Rsi(window=2), Vwap(window=3), TurnOfMonth(), Beta(symbol="B", window=10))
INTERVALS = st.sampled_from(
    [("1d", ("1w",)), ("1h", ("4h", "1d")), ("30m", ("1h",)), ("1m", ("5m", "1h"))]
)


@pytest.mark.slow
@examples(8)
@given(seed=SEEDS, intervals=INTERVALS, inputs=st.sampled_from([("A",), ("A", "B")]))
def test_a_stream_gives_the_bits_of_the_matrices_of_every_resolution(
    seed: int, intervals: tuple[str, tuple[str, ...]], inputs: tuple[str, ...]
) -> None:
    base, resolutions = intervals
    market = plausible_market(seed, base)
    stream = FeatureStream(FEATURES, market.symbols, inputs, base, resolutions)
    cuts = random_cuts(np.random.default_rng(seed), market.bars["timestamp"].nunique())
    parts = fold_market(stream, market, cuts)
    assert_equal_matrix(
        [part.features for part in parts], build_features(market, FEATURES, inputs)
    )
    for place, resolution in enumerate(resolutions):
        coarse = [part.coarse[place] for part in parts]
        batch = build_coarse_features(market, resolution, FEATURES, inputs)
        assert_equal_matrix([part.features for part in coarse], batch.features)
        np.testing.assert_array_equal(
            np.concatenate([part.latest for part in coarse]), batch.latest
        )


def assert_numbers_have_the_bits_of_frames(
    stream: FeatureStream,
    known: StreamState,
    arriving: pd.DataFrame,
    symbols: tuple[str, ...],
) -> None:
    """Bars that arrive one by one as numbers give what one update with all of them gives."""
    expected, together = stream.update(known, arriving)
    state, rows = known, []
    for bar in NextBar.of_market(arriving, symbols):
        state, row = stream.advance(state, bar)
        rows.append(row)
    np.testing.assert_array_equal([row.values for row in rows], together.features.values)
    for place, part in enumerate(together.coarse):
        completed, latest = zip(*(row.coarse[place] for row in rows), strict=True)
        np.testing.assert_array_equal(np.vstack(completed), part.features.values)
        np.testing.assert_array_equal(latest, part.latest)
    ours, theirs = state.to_arrays(), expected.to_arrays()
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array)


@examples(6)
@given(seed=SEEDS, intervals=INTERVALS)
def test_a_stream_gives_the_bits_of_frames_for_bars_that_arrive_as_numbers(
    seed: int, intervals: tuple[str, tuple[str, ...]]
) -> None:
    base, resolutions = intervals
    market = plausible_market(seed, base)
    stream = FeatureStream(FEATURES, market.symbols, market.symbols, base, resolutions)
    width, count = len(market.symbols), market.bars["timestamp"].nunique()
    start = int(np.random.default_rng(seed).integers(1, count - 60))
    known, _ = stream.update(None, market.bars.iloc[: start * width])
    arriving = market.bars.iloc[start * width :].iloc[: 60 * width]
    assert_numbers_have_the_bits_of_frames(stream, known, arriving, market.symbols)


def test_a_bar_of_numbers_is_that_of_the_frame() -> None:
    market = plausible_market(0, "1d")
    newest = market.bars.iloc[-len(market.symbols) :]
    (bar,) = NextBar.of_market(newest, market.symbols)
    assert bar.timestamp == newest["timestamp"].iloc[0]
    assert bar.values == NextBar.of_bars(newest).values
    for symbol, table in bar.tables.items():
        own = newest[newest["symbol"] == symbol].set_index("timestamp")
        pd.testing.assert_frame_equal(table, own[list(table)], check_dtype=False)
