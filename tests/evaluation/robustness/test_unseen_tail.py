"""The tail that a history does not show: figures by hand, and how often profiles are warned."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from engine.evaluation.inference.hac import sharpe_influence
from engine.evaluation.robustness.unseen_tail import (
    assess_unseen_tail,
    find_erasing_loss,
    find_grade_ending_loss,
)
from engine.selftest.return_processes import garch11, iid_normal, jump_diffusion, student_t
from engine.selftest.timing_rules import RandomTurns

LOSS, ONCE_IN = 0.5, 500
PREMIUM = LOSS / ONCE_IN
MARKETS = 100
ANNUAL = 252**0.5


def premium_with_noise(rng: np.random.Generator, bars: int, noise: float = 0.002) -> np.ndarray:
    """The fair premium of the loss, and noise."""
    return PREMIUM + noise * rng.standard_normal(bars)


def short_puts(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Gains that are capped at the premium."""
    return PREMIUM + 0.0004 - 0.5 * np.maximum(-0.01 * rng.standard_normal(bars) - 0.01, 0.0)


def weekly_premium(rng: np.random.Generator, bars: int) -> np.ndarray:
    """In the market on one bar of five."""
    trades = np.arange(bars) % 5 == 4
    return np.where(trades, 5 * PREMIUM + 0.004 * rng.standard_normal(bars), 0.0)


WRITERS = {
    "premium": premium_with_noise,
    "noisier premium": lambda rng, bars: premium_with_noise(rng, bars, 0.003),
    "short puts": short_puts,
    "weekly premium": weekly_premium,
}
PROCESSES = {
    "normal": iid_normal,
    "t": student_t,
    "GARCH": garch11,
    "jumps": jump_diffusion,
}


def warned_share(draw, bars: int) -> float:
    warned = []
    for market in range(MARKETS):
        tail = assess_unseen_tail(draw(np.random.default_rng([bars, market]), bars))
        warned.append(tail is not None and tail.warning is not None)
    return float(np.mean(warned))


@pytest.mark.parametrize("bars", [500, 1_000])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_writer_of_options_whose_loss_was_not_seen_is_warned(writer: str, bars: int) -> None:
    assert warned_share(WRITERS[writer], bars) >= 0.9


@pytest.mark.parametrize("writer", WRITERS)
def test_once_its_loss_was_seen_it_is_not_warned_any_more(writer: str) -> None:
    def draw(rng: np.random.Generator, bars: int) -> np.ndarray:
        returns = WRITERS[writer](rng, bars)
        returns[rng.integers(bars)] = -LOSS
        return returns

    assert warned_share(draw, 1_000) == 0.0


@pytest.mark.parametrize("bars", [500, 1_000])
@pytest.mark.parametrize("ratio", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("process", PROCESSES)
def test_ordinary_returns_are_hardly_ever_warned(process: str, ratio: float, bars: int) -> None:
    def draw(rng: np.random.Generator, bars: int) -> np.ndarray:
        return PROCESSES[process](rng, bars, 0.01) + 0.01 * ratio / ANNUAL

    assert warned_share(draw, bars) <= 0.05


@pytest.mark.parametrize("process", PROCESSES)
def test_a_rule_that_is_in_or_out_is_hardly_ever_warned(process: str) -> None:
    def draw(rng: np.random.Generator, bars: int) -> np.ndarray:
        held = RandomTurns().draw(rng, bars, 1)[:, 0]
        return held * (PROCESSES[process](rng, bars, 0.01) + 0.01 / ANNUAL)

    assert warned_share(draw, 1_000) <= 0.05


def test_the_erasing_loss_brings_the_equity_back_to_its_start() -> None:
    returns = premium_with_noise(np.random.default_rng(1), 600)
    loss = find_erasing_loss(returns)
    assert np.prod(1 + np.append(returns, -loss)) == pytest.approx(1.0)


def test_a_book_without_profit_has_none_to_lose() -> None:
    returns = -premium_with_noise(np.random.default_rng(1), 600)
    tail = assess_unseen_tail(returns)
    assert tail.erasing_loss is None
    assert tail.grade_ending_loss is None
    assert tail.warning is None


def test_a_ruined_book_has_no_profit() -> None:
    returns = np.append(premium_with_noise(np.random.default_rng(1), 600), -1.0)
    assert find_erasing_loss(returns) is None


def test_the_grade_ending_loss_puts_the_lower_end_at_0() -> None:
    returns = premium_with_noise(np.random.default_rng(2), 600)
    loss = find_grade_ending_loss(returns, 0.95)
    longer = np.append(returns, -loss)
    error = (np.mean(sharpe_influence(longer) ** 2) / len(longer)) ** 0.5
    lower_end = longer.mean() / longer.std() - NormalDist().inv_cdf(0.975) * error
    assert 0 < loss < find_erasing_loss(returns)
    assert lower_end == pytest.approx(0.0, abs=1e-4)


def test_the_rule_of_three() -> None:
    tail = assess_unseen_tail(premium_with_noise(np.random.default_rng(3), 900))
    assert tail.rarest_seen_bars == pytest.approx(900 / 3, rel=0.005)
    assert tail.unseen_probability == pytest.approx((1 - 1 / ONCE_IN) ** 900)


def test_the_warning_has_the_figures() -> None:
    tail = assess_unseen_tail(premium_with_noise(np.random.default_rng(4), 750))
    for figure in (
        f"{100 * tail.gaining_share:.0f} % of the bars",
        f"{100 * tail.largest_loss:.1f} %",
        f"A loss of {100 * tail.erasing_loss:.1f} % in one bar",
        f"one of {100 * tail.grade_ending_loss:.1f} %",
        "once in 500 bars is missing from 750 bars with a probability of 22 %",
    ):
        assert figure in tail.warning


def test_a_book_without_a_loss_is_warned() -> None:
    tail = assess_unseen_tail(np.abs(premium_with_noise(np.random.default_rng(5), 300)))
    assert tail.largest_loss == 0.0
    assert "no bar has lost" in tail.warning


@pytest.mark.parametrize(
    "returns", [np.full(29, 0.01), np.zeros(100), np.full(100, 0.001)], ids=["short", "0", "flat"]
)
def test_undefined_without_returns_that_vary(returns: np.ndarray) -> None:
    assert assess_unseen_tail(returns) is None
