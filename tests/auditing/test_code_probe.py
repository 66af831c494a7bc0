"""A user's function of bars: look-ahead is found at every bar, and honest ones pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.auditing import load_function, probe_function
from engine.core.errors import UsageError
from tests.auditing.tables import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.auditing import CodeProbe

COUNT = 900
INDEX = pd.bdate_range("2015-01-01", periods=COUNT, tz="UTC")


def make_bars() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    close = 100.0 * np.cumprod(1.0 + rng.normal(0.0, 0.01, COUNT))
    columns = {"open": close, "high": 1.01 * close, "low": 0.99 * close, "close": close}
    return pd.DataFrame({**columns, "volume": rng.integers(100, 999, COUNT)}, index=INDEX)


BARS = make_bars()


def months(bars: pd.DataFrame) -> np.ndarray:
    return (bars.index.year * 12 + bars.index.month).to_numpy()


HONEST = {
    "rolling mean": lambda bars: bars["close"].rolling(20).mean(),
    "rolling deviation": lambda bars: bars["close"].pct_change().rolling(30).std(),
    "exponential mean": lambda bars: bars["close"].ewm(span=20).mean(),
    "expanding mean": lambda bars: bars["close"].expanding().mean(),
    "sum of all": lambda bars: bars["volume"].cumsum(),
    "signal": lambda bars: bars["close"] > bars["close"].rolling(50).mean(),
    "words": lambda bars: np.where(bars["close"].diff() > 0, "up", "down"),
    "month so far": lambda bars: bars["close"].groupby(months(bars)).cummax(),
    "rows left out": lambda bars: bars["close"].pct_change(5).dropna(),
    "calendar": lambda bars: pd.Series(bars.index.month, bars.index),
    "past quantile": lambda bars: bars["close"].rolling(100).rank(),
}
LEAKY = {
    "next close": lambda bars: bars["close"].shift(-1),
    "standardised by all": lambda bars: bars["close"] / bars["close"].std(),
    "centred mean": lambda bars: bars["close"].rolling(11, center=True).mean(),
    "filled backwards": lambda bars: bars["close"].where(bars.index.day == 1).bfill(),
    "share of the highest": lambda bars: bars["close"] / bars["close"].max(),
    "rank in all": lambda bars: bars["close"].rank(pct=True),
    "mean of the month": lambda bars: bars["close"].groupby(months(bars)).transform("mean"),
    "interpolated": lambda bars: bars["close"].where(bars["volume"] > 500).interpolate(),
    "above the median": lambda bars: bars["close"] > bars["close"].median(),
    "smoothed both ways": lambda bars: np.convolve(bars["close"], np.ones(5) / 5, "same"),
}


def probe(function: Callable[[pd.DataFrame], object]) -> CodeProbe:
    return probe_function(function, BARS)


@pytest.mark.parametrize("name", HONEST)
def test_honest_functions_pass(name: str) -> None:
    assert probe(HONEST[name]).findings == ()


@pytest.mark.parametrize("name", LEAKY)
def test_classic_look_ahead_is_found(name: str) -> None:
    assert len(probe(LEAKY[name]).findings) == 1


@pytest.mark.parametrize("seed", range(3))
def test_look_ahead_at_one_bar_in_a_hundred_is_found(seed: int) -> None:
    chosen = pd.Series(np.random.default_rng(seed).random(COUNT) < 0.01, INDEX)

    def feature(bars: pd.DataFrame) -> pd.Series:
        change = bars["close"].pct_change()
        return change.rolling(10).mean().where(~chosen.reindex(bars.index), change.shift(-1))

    assert len(probe(feature).findings) == 1


def test_every_bar_of_a_function_with_a_memory_is_asked() -> None:
    result = probe(HONEST["rolling mean"])

    assert (result.memory, result.probed) == (19, COUNT - 1)
    assert result.calls < 128


def test_only_the_column_that_looks_ahead_is_named_with_the_shortest_bars() -> None:
    def features(bars: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {"mean": bars["close"].rolling(5).mean(), "next": bars["close"].shift(-2)}
        )

    (finding,) = probe(features).findings

    assert finding.column == "next"
    span = BARS.loc[finding.first : finding.last]
    known = BARS.loc[finding.first : finding.known_until]
    assert len(span) <= 4
    assert not features(span)["next"].reindex(known.index).equals(features(known)["next"])


def test_random_output_and_short_bars_are_refused() -> None:
    rng = np.random.default_rng()
    with pytest.raises(UsageError, match="two calls"):
        probe(lambda bars: pd.Series(rng.random(len(bars)), bars.index))
    with pytest.raises(UsageError, match="too few bars"):
        probe_function(HONEST["calendar"], BARS.iloc[:50])


@pytest.mark.parametrize(
    "function",
    [lambda bars: len(bars), lambda bars: bars["close"].to_list(), lambda bars: bars["nope"]],
)
def test_an_output_that_is_not_aligned_is_refused(function: Callable) -> None:
    with pytest.raises(UsageError, match=r"not aligned|fails"):
        probe(function)


def test_a_function_that_needs_many_bars_is_asked_where_it_has_them() -> None:
    def feature(bars: pd.DataFrame) -> pd.Series:
        if len(bars) < 300:
            raise ValueError("too short")
        return bars["close"].shift(-1)

    result = probe(feature)

    assert result.failed
    assert len(result.findings) == 1


def test_the_function_of_a_file_is_loaded_with_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "audited_helper.py", "def half(x):\n    return x / 2\n")
    path = write(
        tmp_path / "mine.py",
        "from audited_helper import half\ndef f(bars):\n    return half(bars['close'])\n",
    )

    assert probe(load_function(f"{path}:f")).findings == ()


@pytest.mark.parametrize("text", ["import nothing_of_that_name", "def g(): pass", "x ="])
def test_a_file_that_fails_or_lacks_the_function_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_function(f"{write(tmp_path / 'mine.py', text)}:f")

    assert "mine.py" in caught.value.where


@pytest.mark.parametrize("reference", ["mine.py", "none.py:f", "f"])
def test_a_reference_without_file_or_function_is_told(reference: str) -> None:
    with pytest.raises(UsageError, match=r"FILE\.py:FUNCTION"):
        load_function(reference)
