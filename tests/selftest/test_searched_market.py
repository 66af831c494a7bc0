"""Rules tried on one market: positions, round trips, the planted edge, and the best of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.evidence import grade_run
from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.significance import assess_significance
from engine.selftest.return_processes import iid_normal
from engine.selftest.searched_market import WARM_UP_BARS, MarketKind
from engine.selftest.timing_rules import RandomTurns, RareTrades, count_round_trips, draw_families

ANNUAL = 252.0
SPEC = EvaluationSpec(resamples=200)
IN_OR_OUT, LONG_OR_SHORT = RandomTurns(), RandomTurns(states=(-1.0, 0.0, 1.0))


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed or 0)


@pytest.mark.parametrize(
    ("rule", "states", "share"),
    [
        (IN_OR_OUT, {0, 1}, 1 / 2),
        (LONG_OR_SHORT, {-1, 0, 1}, 2 / 3),
        (RareTrades(trades=5), {0, 1}, 5 / 1_000),
        (RareTrades(hold=3), {0, 1}, 3 / 21),
    ],
    ids=["in or out", "long or short", "five one-bar trades", "a trade a month"],
)
def test_positions_have_their_states_and_their_share_in_the_market(rule, states, share) -> None:
    positions = rule.draw(rng(), 1_000, 300)
    assert set(np.unique(positions)) == states
    assert np.mean(positions != 0) == pytest.approx(share, rel=0.06)


def test_rare_trades_last_as_long_as_they_should() -> None:
    positions = RareTrades(trades=5).draw(rng(), 750, 100)
    assert set(positions.sum(axis=0)) == {5.0}
    monthly = RareTrades(hold=3).draw(rng(), 1_000, 100)
    assert set(monthly.sum(axis=0)) == {3.0 * (1_000 // 21)}


@pytest.mark.parametrize("rule", [IN_OR_OUT, LONG_OR_SHORT], ids=["in or out", "long or short"])
def test_variants_of_a_family_are_correlated_and_families_are_not(rule) -> None:
    market = iid_normal(rng(1), 20_000, 0.01)
    positions = draw_families(rule, rng(2), 20_000, 20, families=5, correlation=0.95)
    correlations = np.corrcoef((positions * market[:, None]).T)
    same = np.equal.outer(np.arange(20) % 5, np.arange(20) % 5) & ~np.eye(20, dtype=bool)
    assert correlations[same].mean() == pytest.approx(0.95, abs=0.015)
    assert correlations[~same & ~np.eye(20, dtype=bool)].mean() == pytest.approx(
        rule.overlap, abs=0.03
    )


def test_round_trips_counted_by_hand() -> None:
    assert count_round_trips(np.array([0.0, 1, 1, 0, -1, 1, 0, 1])) == 3
    assert count_round_trips(np.zeros(5)) == 0
    assert count_round_trips(np.ones(5)) == 0


@pytest.mark.parametrize("premium", [0.0, 1.0])
@pytest.mark.parametrize("rule", [IN_OR_OUT, LONG_OR_SHORT], ids=["in or out", "long or short"])
def test_the_planted_edge_is_the_lead_over_the_market(rule, premium: float) -> None:
    kind = MarketKind(iid_normal, rule, premium=premium, edge=2.0, bars=400_000)
    searched = kind.draw(rng(3), 2)
    market = searched.market[WARM_UP_BARS:]
    ratios = [sharpe(each, ANNUAL) for each in (market, *(searched.positions.T * market))]
    # The standard error of a ratio is sqrt(252 / 400,000) = 0.025.
    assert ratios[0] == pytest.approx(premium, abs=0.1)
    assert ratios[1] == pytest.approx(premium + 2.0, abs=0.12)
    assert ratios[2] == pytest.approx(premium * rule.overlap**0.5, abs=0.1)


def test_the_best_of_the_tries_is_assessed_and_the_others_are_its_trials() -> None:
    searched = MarketKind(iid_normal, IN_OR_OUT, bars=300).draw(rng(4), 12)
    ratios = []
    for tries in (1, 4, 12):
        significance = assess_significance(searched.select_best(tries), SPEC, rng(5))
        assert significance.trials.distinct == tries
        assert set(significance.differences) == {"buy_and_hold", "ma_crossover", "mean_reversion"}
        assert significance.sensitivity.chosen.cost_bps > 0
        ratios.append(significance.sharpe["strategy"].estimate)
    assert ratios == sorted(ratios)


def test_a_strong_edge_over_many_bars_is_graded_strong() -> None:
    kind = MarketKind(iid_normal, IN_OR_OUT, premium=1.0, edge=4.0, bars=2_000)
    assert grade_run(kind.draw(rng(6), 10).select_best(10), SPEC, rng(7)) == "strong"


def test_the_break_even_cost_leaves_no_profit() -> None:
    kind = MarketKind(iid_normal, IN_OR_OUT, edge=3.0, bars=1_000)
    searched = kind.draw(rng(8), 1)
    surface = searched.select_best(1).model_sections.sensitivity
    held, market = searched.positions[:, 0], searched.market[WARM_UP_BARS:]
    fills = np.abs(np.diff(held, prepend=0.0))
    cost = surface.break_even_cost_bps / 10_000
    assert cost > 0
    assert np.prod((1 + held * market) * (1 - cost) ** fills) == pytest.approx(1.0)
