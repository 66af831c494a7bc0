"""Whether the edge is the same over the whole run."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.inference.multiple_testing import holm
from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.robustness.stability import assess_stability

BARS, WINDOW = 1_500, 250


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def run(edge: np.ndarray, seed: int = 0, premium: float = 0.0) -> tuple[pd.DataFrame, np.ndarray]:
    """A strategy with that edge a bar over a market of 1 % a bar, and the windows."""
    generator, bars = rng(seed), len(edge)
    market = 0.01 * generator.standard_normal(bars) + premium
    own = 0.5 * market + 0.005 * generator.standard_normal(bars) + edge
    index = pd.date_range("2015-01-01", periods=bars, tz="UTC", name="timestamp")
    frame = pd.DataFrame({"strategy": own, "buy_and_hold": market}, index=index)
    return frame, np.arange(bars) // WINDOW


def assess(edge: np.ndarray, seed: int = 0, **more):
    returns, windows = run(edge, seed)
    return assess_stability(returns, windows, 252.0, rng(), **{"holding": "buy_and_hold"} | more)


def lost_after(bar: int, edge: float) -> np.ndarray:
    return np.where(np.arange(BARS) < bar, edge, 0.0)


def test_an_edge_that_is_lost_is_found_with_its_bar() -> None:
    stability = assess(lost_after(700, 0.0025))
    for name in ("sharpe", "lead"):
        figures = stability.breaks[name]
        assert figures.p_value_holm < 0.01
        assert (
            abs((pd.Timestamp(figures.bar) - pd.Timestamp("2015-01-01", tz="UTC")).days - 700) < 60
        )
        assert figures.before > 3 > 1 > figures.after


def test_before_and_after_are_the_sharpe_ratios_of_the_two_parts() -> None:
    returns, windows = run(lost_after(700, 0.0025))
    found = assess_stability(returns, windows, 252.0, rng(), holding="buy_and_hold").breaks[
        "sharpe"
    ]
    own, bar = returns["strategy"], pd.Timestamp(found.bar)
    assert found.before == sharpe(own[own.index < bar].to_numpy(), 252.0)
    assert found.after == sharpe(own[bar:].to_numpy(), 252.0)


def test_a_first_window_above_the_rest_is_decay() -> None:
    decay = assess(lost_after(WINDOW, 0.003)).decay
    for figures in decay.values():
        assert figures.p_value_holm < 0.05
        assert figures.first_window_pct > 40 > 20 > figures.later_pct
    returns, windows = run(lost_after(WINDOW, 0.003))
    first = returns["strategy"][windows == 0].mean()
    assert decay["return"].first_window_pct == pytest.approx(100 * 252 * first)


def test_an_edge_that_wears_off_has_a_negative_slope_a_year() -> None:
    yearly = 0.1
    fading = (0.5 - yearly * np.arange(BARS) / 252) / 252
    slopes = [assess(fading, seed).decay["return"] for seed in range(40)]
    assert np.mean([each.slope_pct for each in slopes]) == pytest.approx(-100 * yearly, abs=3)
    spread = np.std([each.slope_pct for each in slopes])
    errors = np.mean([each.slope_standard_error_pct for each in slopes])
    assert errors == pytest.approx(spread, rel=0.3)


def test_a_growing_edge_is_no_decay() -> None:
    decay = assess(np.linspace(0.0, 0.003, BARS)).decay["return"]
    assert decay.slope_p_value > 0.99
    assert decay.p_value > 0.9


@pytest.mark.slow
def test_a_constant_edge_is_called_unstable_no_more_often_than_the_level() -> None:
    """Any of six adjusted p-values below 0.05 in at most 5 % of runs: 5 of 100 expected."""
    unstable = 0
    for seed in range(100):
        stability = assess(np.full(BARS, 0.0005), seed)
        p_values = [
            *(each.p_value_holm for each in stability.breaks.values()),
            *(each.p_value_holm for each in stability.decay.values()),
            *(each.slope_p_value_holm for each in stability.decay.values()),
        ]
        unstable += min(p_values) < 0.05
    assert unstable <= 11


def test_all_tests_are_adjusted_together() -> None:
    stability = assess(lost_after(700, 0.001))
    raw = [
        *(each.p_value for each in stability.breaks.values()),
        *(each.p_value for each in stability.decay.values()),
        *(each.slope_p_value for each in stability.decay.values()),
    ]
    adjusted = [
        *(each.p_value_holm for each in stability.breaks.values()),
        *(each.p_value_holm for each in stability.decay.values()),
        *(each.slope_p_value_holm for each in stability.decay.values()),
    ]
    assert adjusted == pytest.approx(holm(raw))


def test_without_holding_there_is_no_lead() -> None:
    stability = assess(np.zeros(BARS), holding=None)
    assert set(stability.breaks) == {"sharpe"}
    assert set(stability.decay) == {"return"}


def test_a_strategy_that_is_holding_has_no_lead() -> None:
    returns, windows = run(np.zeros(BARS))
    returns["strategy"] = returns["buy_and_hold"]
    stability = assess_stability(returns, windows, 252.0, rng(), holding="buy_and_hold")
    assert set(stability.breaks) == {"sharpe"}


def test_one_window_has_a_slope_and_no_first_window() -> None:
    returns, _ = run(np.zeros(300))
    decay = assess_stability(returns, np.zeros(300, dtype=int), 252.0, rng()).decay["return"]
    assert decay.first_window_pct is decay.p_value is None
    assert decay.slope_p_value is not None
    json.dumps(decay.as_dict(), allow_nan=False)


def test_few_bars_and_a_strategy_that_never_trades_are_not_assessed() -> None:
    assert assess(np.zeros(119)) is None
    returns, windows = run(np.zeros(BARS))
    returns["strategy"] = 0.0
    assert assess_stability(returns, windows, 252.0, rng(), holding="buy_and_hold") is None
