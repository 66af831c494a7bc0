from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.forecasts.accuracy_tests import pesaran_timmermann
from engine.evaluation.forecasts.price_level_r2 import check_price_level_r2
from engine.evaluation.forecasts.scores import score_forecasts

BARS = 800


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def market(seed: int, drift: float = 0.0, deviation: float = 0.02):
    """Prices before and after each bar of a random walk, and its returns."""
    returns = drift + deviation * rng(seed).standard_normal(BARS)
    prices = 100 * np.cumprod(np.concatenate([[1.0], 1 + returns]))
    return prices[:-1], prices[1:], returns


def noisy(seed: int) -> np.ndarray:
    return 0.004 * rng(seed).standard_normal(BARS)


@pytest.mark.parametrize("drift", [-0.002, 0.0, 0.002])
def test_no_change_is_the_level_forecast_trap(drift: float) -> None:
    before, after, _ = market(1, drift)
    check = check_price_level_r2(before, after, np.zeros(BARS), drift)
    assert check.present
    assert check.r2_prices == check.r2_prices_persistence
    assert check.r2_prices > 0.9
    assert check.r2_vs_persistence == 0.0
    assert check.direction_pct == pytest.approx(100 - check.up_pct)


def test_the_drift_is_the_trap_although_it_beats_no_change() -> None:
    before, after, returns = market(2, drift=0.006)
    check = check_price_level_r2(before, after, np.full(BARS, 0.006), 0.006)
    assert check.r2_vs_persistence > 0.03
    assert check.r2_vs_drift == 0.0
    assert check.direction_pct == check.up_pct == np.mean(returns > 0) * 100
    assert check.present


def test_noise_around_the_last_price_is_the_trap_almost_always() -> None:
    named = []
    for seed in range(200):
        before, after, _ = market(seed)
        named.append(check_price_level_r2(before, after, noisy(seed + 1_000), 0.0).present)
    # Two tests of which either clears it, each wrong once in twenty at most.
    assert np.mean(named) > 0.9


def test_the_last_price_a_bar_late_is_the_trap() -> None:
    before, after, returns = market(3)
    late = np.concatenate([[0.0], returns[:-1]])
    check = check_price_level_r2(before, after, -late / (1 + late), 0.0)
    assert check.r2_prices > 0.9
    assert check.r2_vs_persistence < -0.5
    assert check.present


def test_a_model_with_skill_is_not_the_trap() -> None:
    before, after, returns = market(4)
    skilled = 0.2 * returns + noisy(5) / 2
    check = check_price_level_r2(before, after, skilled, 0.0)
    assert check.r2_prices > 0.9
    assert check.r2_vs_persistence > 0.1
    assert not check.present
    assert check.sentence is None


def test_skill_in_direction_alone_is_skill() -> None:
    before, after, returns = market(6)
    # Right six times in ten, but far too sure of it.
    right = np.where(rng(7).random(BARS) < 0.6, 1.0, -1.0)
    check = check_price_level_r2(before, after, 0.04 * right * np.sign(returns), 0.0)
    assert check.r2_vs_persistence < 0
    assert check.direction_pct > check.up_pct + 5
    assert not check.present


def test_skill_in_size_alone_is_skill() -> None:
    before, after, returns = market(8, drift=0.02, deviation=0.015)
    # Always up, as always up is, and it knows by how much.
    predicted = np.maximum(0.02 + 0.5 * (returns - 0.02), 0.001)
    check = check_price_level_r2(before, after, predicted, 0.02)
    assert check.direction_pct == check.up_pct
    assert not check.present


def test_a_low_r2_on_prices_is_not_the_trap() -> None:
    # Prices that hardly wander: each is as far from the one before as from their mean.
    after = 100 + rng(9).standard_normal(BARS)
    before = np.concatenate([[100.0], after[:-1]])
    check = check_price_level_r2(before, after, np.zeros(BARS), 0.0)
    assert check.r2_prices < 0
    assert not check.present


def test_its_figures_are_those_of_the_forecast_scores() -> None:
    before, after, returns = market(10)
    predicted = noisy(11)
    scores = score_forecasts(predicted, returns, np.zeros(BARS))
    check = check_price_level_r2(before, after, predicted, 0.0)
    assert check.r2_vs_persistence == pytest.approx(scores["r2_vs_persistence"])
    assert check.direction_pct == pytest.approx(scores["directional_accuracy_pct"])
    assert check.up_pct == pytest.approx(scores["up_share_pct"])
    predicted_price = before * (1 + predicted)
    residual, spread = after - predicted_price, after - np.mean(after)
    assert check.r2_prices == pytest.approx(1 - residual @ residual / (spread @ spread))


def test_rows_without_outcome_or_forecast_are_left_out() -> None:
    before, after, _ = market(12)
    predicted, drift = noisy(13), noisy(14)
    whole = check_price_level_r2(before[2:-3], after[2:-3], predicted[2:-3], drift[2:-3])
    after[-3:], predicted[:2] = np.nan, np.nan
    assert check_price_level_r2(before, after, predicted, drift) == whole
    assert whole.sentence


def test_overlapping_horizons_do_not_count_as_skill() -> None:
    horizon, passed = 5, {"thinned": 0, "overlapping": 0}
    for seed in range(150):
        prices = 100 * np.cumprod(1 + 0.01 * rng(seed).standard_normal(BARS))
        before, after = prices[:-horizon], prices[horizon:]
        # A slow and idle forecast, whose runs of "up" meet the market's.
        noise = rng(seed + 500).standard_normal(len(before) + 59)
        idle = np.convolve(noise, np.full(60, 1e-3), "valid")
        check = check_price_level_r2(before, after, idle, 0.0, horizon=horizon)
        passed["thinned"] += check.r2_prices > 0.9 and not check.present
        chance = pesaran_timmermann(idle, after / before - 1).p_value
        passed["overlapping"] += check.r2_prices > 0.9 and chance < 0.05
    # Two tests at 5 % each.
    assert passed["thinned"] < 0.1 * 150 < passed["overlapping"]


def test_direction_that_follows_the_market_but_trails_always_up_is_the_trap() -> None:
    before, after, returns = market(15, drift=0.02)
    # It knows something of when the market falls, and warns of that far too often.
    warns = np.where(returns < 0, rng(16).random(BARS) < 0.6, rng(16).random(BARS) < 0.4)
    predicted = np.where(warns, -0.02, 0.02)
    assert pesaran_timmermann(predicted, returns).p_value < 0.001
    check = check_price_level_r2(before, after, predicted, 0.02)
    assert check.direction_pct < check.up_pct - 10
    assert check.present


@pytest.mark.parametrize("bars", [0, 1, 2])
def test_without_rows_there_is_no_trap(bars: int) -> None:
    prices = np.full(bars, 5.0)
    check = check_price_level_r2(prices, prices, np.zeros(bars), 0.0)
    assert not check.present
    assert check.r2_prices is None
    assert check.r2_vs_persistence is None


def test_the_sentence_compares_with_persistence_and_always_up() -> None:
    before = np.linspace(100, 200, 50)
    after = before * np.where(np.arange(50) % 5 < 3, 1.01, 0.99)
    check = check_price_level_r2(before, after, np.tile([0.001, -0.001], 25), 0.0)
    assert check.sentence == (
        "The R² of 0.997 on prices is the level-forecast trap: repeating the last price has "
        "0.997; the forecasts' R² against no change is -0.0100, and their direction is right "
        "50.0 % of the time, always saying up 60.0 %."
    )


def test_an_insignificant_share_is_called_chance() -> None:
    before = np.linspace(100, 200, 50)
    after = before * np.where(np.arange(50) % 2 == 0, 1.01, 0.99)
    right = np.ones(50)
    right[:24] = -1
    check = check_price_level_r2(before, after, 0.0001 * right * (after / before - 1) / 0.01, 0.0)
    assert check.present
    assert "no change is 0.0" in check.sentence
    assert check.sentence.count("no more than chance") == 2
