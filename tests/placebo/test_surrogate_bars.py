"""Surrogate bars: valid bars that keep what they are said to keep, and lose the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from engine.core.errors import UsageError
from engine.data import Market
from engine.placebo.surrogate_bars import draw_market
from tests.hypothesis_examples import examples
from tests.pipeline.markets import SYMBOLS, bars

PRICES = ["open", "high", "low", "close"]
SEEDS = st.integers(0, 10_000)


def market(*, holes: bool = False, count: int = 700) -> Market:
    """Two symbols; with holes the second begins late and is halted once."""
    parts = [bars(seed).head(count).assign(symbol=name) for seed, name in enumerate(SYMBOLS)]
    if holes:
        parts[1].loc[[*range(50), *range(300, 310)], [*PRICES, "volume"]] = np.nan
    table = pd.concat(parts).sort_values(["timestamp", "symbol"]).reset_index(drop=True)
    table["timestamp"] = table["timestamp"].dt.tz_localize("UTC")
    ordered = table[["timestamp", "symbol", *PRICES, "volume"]]
    values = {name: ordered[name].astype("float64") for name in (*PRICES, "volume")}
    return Market(ordered.assign(**values), SYMBOLS, "1d", "24/7", 365.0, {})


REAL, WITH_HOLES = market(), market(holes=True)


def moves(bars_of_one: pd.DataFrame) -> np.ndarray:
    """Logarithms of the prices of each bar over the close before, of the bars that there are."""
    known = bars_of_one.dropna()
    values = known[PRICES].to_numpy()
    return np.log(values[1:] / values[:-1, 3:])


@examples(20)
@given(kind=st.sampled_from(["signs", "blocks"]), seed=SEEDS)
def test_surrogates_are_valid_bars_that_begin_as_the_real_ones(kind: str, seed: int) -> None:
    drawn = draw_market(REAL, kind, np.random.default_rng(seed))

    prices = drawn.bars[PRICES]
    assert drawn.bars[["timestamp", "symbol"]].equals(REAL.bars[["timestamp", "symbol"]])
    assert (prices["low"] <= prices[["open", "close"]].min(axis=1) * (1 + 1e-12)).all()
    assert (prices["high"] >= prices[["open", "close"]].max(axis=1) * (1 - 1e-12)).all()
    assert drawn.bars.head(2)[PRICES].equals(REAL.bars.head(2)[PRICES])


@examples(20)
@given(seed=SEEDS, holes=st.booleans())
def test_signs_keep_the_size_of_every_move_about_the_mean_at_its_time(
    seed: int, holes: bool
) -> None:
    real = WITH_HOLES if holes else REAL
    drawn = draw_market(real, "signs", np.random.default_rng(seed))

    turned = []
    for symbol in SYMBOLS:
        own, other = (moves(each.bars_by_symbol[symbol]) for each in (real, drawn))
        mean = own[:, 3].mean()
        assert np.abs(other[:, 3] - mean) == pytest.approx(np.abs(own[:, 3] - mean), abs=1e-12)
        # A bar that is turned has its low where the high was.
        assert other[:, 1] - other[:, 2] == pytest.approx(own[:, 1] - own[:, 2], abs=1e-12)
        turned.append(np.abs(other[:, 3] - own[:, 3]) > 1e-12)
    together = min(map(len, turned))
    if not holes:
        assert (turned[0] == turned[1]).all()
    assert 0.4 < turned[0][-together:].mean() < 0.6
    assert drawn.bars["volume"].equals(real.bars["volume"])
    assert drawn.bars["close"].isna().equals(real.bars["close"].isna())


@examples(6)
@given(seed=SEEDS)
def test_blocks_are_real_bars_of_all_symbols_with_their_volume(seed: int) -> None:
    drawn = draw_market(REAL, "blocks", np.random.default_rng(seed))

    places = []
    for symbol in SYMBOLS:
        own, other = (moves(each.bars_by_symbol[symbol]) for each in (REAL, drawn))
        order = np.argsort(own[:, 3])
        found = order[np.searchsorted(own[order, 3], other[:, 3] - 1e-9)]
        assert other == pytest.approx(own[found], abs=1e-9)
        volumes = [each.bars_by_symbol[symbol]["volume"].to_numpy()[1:] for each in (REAL, drawn)]
        assert (volumes[1] == volumes[0][found]).all()
        places.append(found)
    assert (places[0] == places[1]).all()


def test_shifts_leave_the_bars_and_blocks_refuse_holes() -> None:
    rng = np.random.default_rng(0)

    assert draw_market(REAL, "shifts", rng) is REAL
    with pytest.raises(UsageError, match="not offered"):
        draw_market(WITH_HOLES, "blocks", rng)


def best_momentum(prices: np.ndarray) -> float:
    """A procedure: the highest Sharpe ratio of three rules, each chosen on the very same bars."""
    returns = np.diff(prices) / prices[:-1]
    ratios = []
    for length in (1, 3, 10):
        held = np.sign(prices[length:-1] / prices[: -length - 1] - 1.0)
        earned = held * returns[length:]
        ratios.append(earned.mean() / earned.std())
    return max(ratios)


def p_value(close: np.ndarray, rng: np.random.Generator, kind="signs", count: int = 19) -> float:
    """Of the procedure on these closes."""
    volume = np.zeros(len(close))
    table = {"timestamp": pd.date_range("2020", periods=len(close), tz="UTC"), "symbol": "A"}
    prices = dict.fromkeys(PRICES, close)
    one = Market(
        pd.DataFrame({**table, **prices, "volume": volume}), ("A",), "1d", "24/7", 1.0, {}
    )
    real = best_momentum(close)
    others = [
        best_momentum(draw_market(one, kind, rng).bars["close"].to_numpy()) for _ in range(count)
    ]
    return (1 + sum(other >= real for other in others)) / (1 + count)


def closes(rng: np.random.Generator, count: int = 250, coefficient: float = 0.0) -> np.ndarray:
    """Prices whose volatility clusters, and whose returns depend on the one before."""
    volatility = 0.01 * np.exp(0.5 * np.sin(np.arange(count) / 20))
    returns = volatility * rng.standard_normal(count)
    for bar in range(1, count):
        returns[bar] += coefficient * returns[bar - 1]
    return 100.0 * np.exp(np.cumsum(returns))


@pytest.mark.slow
def test_a_selected_rule_on_noise_is_found_as_often_as_the_level_says() -> None:
    """Of 120 markets without a signal the share at p <= 0.05 is within its 99.9 % interval."""
    rng, markets = np.random.default_rng(11), 120

    found = sum(p_value(closes(rng), rng) <= 0.05 for _ in range(markets))

    low, high = binom.interval(0.999, markets, 0.05)
    assert low <= found <= high


@pytest.mark.slow
def test_blocks_find_a_selected_rule_on_noise_no_more_often_than_the_level_says() -> None:
    """They find it less often: 2 of 300 markets at 5 %."""
    rng, markets = np.random.default_rng(21), 120

    found = sum(p_value(closes(rng), rng, "blocks") <= 0.05 for _ in range(markets))

    assert found <= binom.ppf(0.999, markets, 0.05)


def test_a_market_whose_moves_go_on_is_found() -> None:
    rng = np.random.default_rng(3)

    assert p_value(closes(rng, 600, 0.25), rng) == 0.05
