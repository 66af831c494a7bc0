"""A stream of features: real bars, the size of its state, and bars that do not follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import ContractError, InvalidBarsError, UsageError
from engine.core.types import BAR_COLUMNS
from engine.data.market import Market
from engine.features.build import build_features
from engine.features.config import Beta, LogReturn, Rsi, Volatility
from engine.features.stream import FeatureStream
from engine.features.stream_state import StreamState
from tests.features.two_symbols import OTHER, OWN, second_symbol, with_defaults

if TYPE_CHECKING:
    from collections.abc import Callable

FEATURES = (LogReturn(), Volatility(window=5), Rsi(window=2), Beta(symbol=OTHER, window=10))


def market_of(bars: pd.DataFrame) -> Market:
    """These bars and those of a second symbol."""
    tables = {OWN: bars, OTHER: second_symbol(bars)}
    long = pd.concat([table.assign(symbol=symbol) for symbol, table in tables.items()])
    ordered = long.reset_index().sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(ordered[list(BAR_COLUMNS)], tuple(tables), "1d", "24/7", 365.0, {})


def make_stream(features=FEATURES, **chosen) -> FeatureStream:
    given = {"symbols": (OWN,), "interval": "1d", "resolutions": ("1w",)} | chosen
    return FeatureStream(features, (OWN, OTHER), **given)


def rows(market: Market, start: int, end: int) -> pd.DataFrame:
    """The bars of both symbols at some timestamps."""
    return market.bars.iloc[2 * start : 2 * end]


def count_numbers(state: StreamState) -> int:
    return sum(array.size for array in state.to_arrays().values())


def test_real_bars_that_arrive_one_at_a_time_give_the_bits_of_the_matrix(real_bars) -> None:
    features, market, alone = tuple(with_defaults()), market_of(real_bars), 4
    stream = make_stream(features, symbols=(OWN, OTHER))
    first = len(real_bars) - alone
    state, start = stream.update(None, rows(market, 0, first))
    streamed = [start.features.values]
    for row in range(first, len(real_bars)):
        state, then = stream.update(state, rows(market, row, row + 1))
        streamed.append(then.features.values)
    batch = build_features(market, features, (OWN, OTHER))
    np.testing.assert_array_equal(np.vstack(streamed), batch.values)


def test_the_size_of_a_state_does_not_depend_on_the_number_of_bars(bars) -> None:
    market, stream = market_of(bars), make_stream()
    weeks = (40, 100, 300)  # the bars begin on a Monday
    sizes = {count_numbers(stream.update(None, rows(market, 0, 7 * n))[0]) for n in weeks}
    assert len(sizes) == 1
    week_so_far = stream.update(None, rows(market, 0, 7 * 300 + 6))[0]
    assert count_numbers(week_so_far) == sizes.pop() + 6 * (1 + 2 * 5)


def test_a_state_is_not_changed_by_an_update(bars) -> None:
    market, stream = market_of(bars), make_stream()
    state, _ = stream.update(None, rows(market, 0, 150))
    (first, one), (second, other) = (
        stream.update(state, rows(market, 150, 170)) for _ in range(2)
    )
    np.testing.assert_array_equal(one.features.values, other.features.values)
    assert first.to_arrays().keys() == second.to_arrays().keys()
    for name, array in first.to_arrays().items():
        np.testing.assert_array_equal(array, second.to_arrays()[name], err_msg=name)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda market: rows(market, 100, 101), id="seen before"),
        pytest.param(lambda market: rows(market, 99, 102), id="partly seen before"),
        pytest.param(lambda market: rows(market, 101, 104)[::-1], id="out of order"),
        pytest.param(lambda market: rows(market, 101, 104)[:-1], id="a symbol without a bar"),
        pytest.param(lambda market: rows(market, 101, 101), id="no bar"),
    ],
)
def test_bars_that_do_not_follow_are_refused(
    bars: pd.DataFrame, wrong: Callable[[Market], pd.DataFrame]
) -> None:
    market, stream = market_of(bars), make_stream()
    state, _ = stream.update(None, rows(market, 0, 101))
    with pytest.raises(InvalidBarsError, match="do not follow"):
        stream.update(state, wrong(market))


@pytest.mark.parametrize(
    "changed",
    [
        {"features": FEATURES[::-1]},
        {"features": (LogReturn(), Volatility(window=6), *FEATURES[2:])},
        {"symbols": (OTHER,)},
        {"resolutions": ()},
    ],
    ids=["order", "window", "symbol", "resolutions"],
)
def test_a_state_of_another_stream_is_refused(bars, changed: dict[str, object]) -> None:
    market = market_of(bars)
    state, _ = make_stream().update(None, rows(market, 0, 100))
    read = StreamState.from_arrays(state.to_arrays())
    make_stream().update(read, rows(market, 100, 101))
    with pytest.raises(UsageError, match="of another feature stream"):
        make_stream(**changed).update(read, rows(market, 100, 101))


def test_a_value_that_is_not_finite_is_refused_past_the_warmup(bars) -> None:
    market, stream = market_of(bars), make_stream((LogReturn(),))
    state, _ = stream.update(None, rows(market, 0, 1))
    with pytest.raises(InvalidBarsError, match="log_return_1 of OWN"):
        stream.update(state, rows(market, 1, 2).assign(close=np.inf))


class Short(LogReturn):
    """A user's feature that returns too few values."""

    kind: str = "short"

    def update(self, state, bars):
        state, values = super().update(state, bars)
        return state, values[:-1]


def test_a_users_column_of_another_length_is_refused(bars) -> None:
    with pytest.raises(ContractError, match="short breaks a rule"):
        make_stream((Short(),)).update(None, rows(market_of(bars), 0, 9))


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: make_stream(()), "features"),
        (lambda: make_stream((Rsi(), Rsi())), "features"),
        (lambda: make_stream(resolutions=("1h",)), "resolutions"),
    ],
)
def test_a_stream_that_cannot_be_is_an_error(make, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert caught.value.where == where


def test_a_symbol_that_the_market_does_not_have_is_an_error(bars) -> None:
    stream = make_stream((Beta(symbol="NONE"),))
    with pytest.raises(UsageError, match="not in the dataset"):
        stream.update(None, rows(market_of(bars), 0, 9))
