"""Generated markets are valid bars with the intended property."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from engine.data.quality import CheckSettings, check_bars
from engine.selftest.synthetic_markets import (
    SYMBOL,
    ar1_market,
    garch_market,
    mean_reverting_market,
    random_walk_market,
    trending_market,
)

GENERATORS = {
    "random_walk": random_walk_market,
    "garch": garch_market,
    "ar1": partial(ar1_market, coefficient=0.2),
    "mean_reverting": mean_reverting_market,
    "trending": trending_market,
}
NOW = pd.Timestamp("2026-01-01", tz="UTC")


def generate(name: str, bars: int = 8_000, seed: int = 1):
    return GENERATORS[name](np.random.default_rng(seed), bars=bars)


def moves(market) -> np.ndarray:
    return (market.bars["close"] / market.bars["open"] - 1).to_numpy()


@pytest.mark.parametrize("name", GENERATORS)
def test_bars_pass_the_quality_checks(name: str) -> None:
    market = generate(name)

    assert check_bars(market.bars, CheckSettings("1d", NOW)).errors == ()
    assert market.symbols == (SYMBOL,)
    assert market.periods_per_year == 365
    assert market.provenance["symbols"][SYMBOL]["rows"] == len(market.bars) == 8_000


@pytest.mark.parametrize("name", GENERATORS)
def test_bars_depend_on_the_seed_alone(name: str) -> None:
    hashes = [
        generate(name, 300, seed).provenance["symbols"][SYMBOL]["sha256"] for seed in (5, 5, 6)
    ]

    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("name", ["random_walk", "garch"])
def test_moves_and_gaps_of_noise_are_unpredictable(name: str) -> None:
    market = generate(name)
    move = moves(market)
    gap = (market.bars["open"] / market.bars["close"].shift() - 1).to_numpy()[1:]

    assert abs(move.mean()) < 4 * 0.01 / len(move) ** 0.5
    assert abs(gap.mean()) < 4 * 0.001 / len(gap) ** 0.5
    for later, before in ((move[1:], move[:-1]), (gap, move[:-1]), (move[1:], gap)):
        assert abs(np.corrcoef(later, before)[0, 1]) < 0.06


def test_ar1_moves_have_the_given_coefficient() -> None:
    move = moves(generate("ar1"))

    assert np.corrcoef(move[1:], move[:-1])[0, 1] == pytest.approx(0.2, abs=0.04)
    # The expected return of holding the sign of the last move, as in the docstring.
    earned = np.mean(np.sign(move[:-1]) * move[1:]) / move.std()
    assert earned == pytest.approx(0.2 * np.sqrt(2 / np.pi), abs=0.04)


def test_a_mean_reverting_price_reverts() -> None:
    close = np.log(generate("mean_reverting").bars["close"].to_numpy())
    deviation = close - np.log(100)

    assert np.corrcoef(deviation[1:], deviation[:-1])[0, 1] == pytest.approx(0.9, abs=0.02)
    assert np.abs(deviation).max() < 0.15
    assert np.diff(close).std() == pytest.approx(0.01, rel=0.05)


def test_a_trend_is_persistent() -> None:
    move = moves(generate("trending", 20_000))
    months = move[: len(move) // 20 * 20].reshape(-1, 20).mean(axis=1)

    assert abs(np.corrcoef(move[1:], move[:-1])[0, 1]) < 0.25
    assert np.corrcoef(months[1:], months[:-1])[0, 1] > 0.5
