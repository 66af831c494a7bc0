"""Each check of the self-test fails on an engine with the fault that it has to detect.

Each fault is put into the engine itself, and the check runs on as few markets as show it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import engine.backtest.evaluate as evaluate
import engine.evaluation.evidence as evidence
import engine.evaluation.significance as significance
import engine.pipeline.steps as steps
import engine.selftest.harness as harness
import engine.simulation.portfolio as portfolio
from engine.core.errors import LookaheadError
from engine.models.baselines.ridge import Ridge
from engine.models.dataset import Prediction
from engine.selftest.cost_check import CostMonotonicityCheck
from engine.selftest.invariance_check import InvarianceCheck
from engine.selftest.lookahead_check import LateOracleCheck, LeakageDetectionCheck
from engine.selftest.rule_check import RuleRankingCheck
from engine.selftest.run import run_selftest
from engine.selftest.search_check import SearchCheck
from engine.selftest.significance_check import PowerCheck, SizeCheck
from engine.signals.benchmarks import MeanReversion, MovingAverageCrossover
from engine.simulation.config import Costs

if TYPE_CHECKING:
    from engine.selftest.base import SelfTestCheck

SMALL_CHECKS: dict[str, SelfTestCheck] = {
    "oracle": LateOracleCheck(markets=1, bars=2_000),
    "leakage": LeakageDetectionCheck(markets=2),
    "power": PowerCheck(markets=3, min_power=0.15),
    "size": SizeCheck(markets=2),
    "search": SearchCheck(markets=40),
    "costs": CostMonotonicityCheck(markets=1),
    "mean_reverting": RuleRankingCheck(markets=3, min_win_rate=0.15),
    "trending": RuleRankingCheck(markets=3, rule="ma_crossover", min_win_rate=0.15),
    "invariance": InvarianceCheck(markets=4),
}

pytestmark = pytest.mark.slow


def failures(*names: str) -> list[str]:
    result = run_selftest(workers=1, checks=[SMALL_CHECKS[name] for name in names])
    return [row.name for row in result.rows if not row.passed]


def test_a_correct_engine_passes_all_of_these() -> None:
    assert failures(*SMALL_CHECKS) == []


def test_a_leakage_test_that_always_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "run_leakage_test", lambda *_, **__: {"cuts": [1]})

    assert failures("leakage") == ["certificate: oracle"]


def test_a_leakage_test_that_always_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_, **__):
        raise LookaheadError("Look-ahead", where="labels: MADE-UP")

    monkeypatch.setattr(harness, "run_leakage_test", refuse)

    assert failures("leakage") == ["certificate: oracle", "certificate: honest"]


def test_costs_that_are_not_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    simulate = steps.simulate_all
    zero = Costs(fee_bps=0, slippage_bps=0)
    monkeypatch.setattr(
        steps, "simulate_all", lambda *a, **k: simulate(*a, **{**k, "costs": zero})
    )

    assert failures("costs") == ["costs twice as high"]


def test_costs_that_are_paid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    simulate = steps.simulate_all

    def pay_out(*frames, costs, **rest):
        negative = costs.model_copy(update={"fee_bps": -costs.fee_bps})
        return simulate(*frames, costs=negative, **rest)

    monkeypatch.setattr(steps, "simulate_all", pay_out)

    assert failures("costs") == ["costs twice as high"]


def test_orders_filled_at_the_open_of_the_bar_that_decided_them(monkeypatch) -> None:
    schedule = portfolio.schedule_orders
    monkeypatch.setattr(
        portfolio, "schedule_orders", lambda w, delay, *lags: schedule(w, delay, *lags).shift(-1)
    )

    assert "one bar late" in failures("oracle")


def test_orders_filled_a_bar_too_late(monkeypatch) -> None:
    schedule = portfolio.schedule_orders
    monkeypatch.setattr(
        portfolio, "schedule_orders", lambda w, delay, *lags: schedule(w, delay + 1, *lags)
    )

    assert failures("oracle", "power") == ["an oracle", "a known edge"]


def test_a_model_that_learns_nothing(monkeypatch) -> None:
    monkeypatch.setattr(Ridge, "predict", lambda *given: Prediction(np.full(len(given[-1]), 1e-4)))

    assert failures("oracle", "power") == ["an oracle", "a known edge"]


def alter_inference(monkeypatch, change) -> None:
    """Changes every Sharpe ratio inference of the engine."""
    infer = evidence.infer_sharpe_ratios

    def altered(figures, *rest):
        return {
            name: change(figures[name], inference)
            for name, inference in infer(figures, *rest).items()
        }

    monkeypatch.setattr(evidence, "infer_sharpe_ratios", altered)


def test_p_values_that_are_too_small(monkeypatch) -> None:
    alter_inference(
        monkeypatch, lambda _, inference: replace(inference, p_value=inference.p_value / 50)
    )

    assert failures("size") == ["noise: false alarms"]


def test_p_values_that_are_always_large(monkeypatch) -> None:
    alter_inference(monkeypatch, lambda _, inference: replace(inference, p_value=1.0))

    assert failures("power") == ["a known edge"]


def test_intervals_that_are_too_narrow(monkeypatch) -> None:
    alter_inference(
        monkeypatch,
        lambda _, inference: replace(inference, low=inference.estimate, high=inference.estimate),
    )

    assert "noise: intervals" in failures("size")


def test_figures_that_are_missing(monkeypatch) -> None:
    alter_inference(monkeypatch, lambda _, inference: type(inference)())

    assert failures("oracle", "power", "size") == [
        *("an oracle", "one bar late", "a known edge", "noise: intervals")
    ]


def test_p_values_that_depend_on_leverage(monkeypatch) -> None:
    alter_inference(
        monkeypatch,
        lambda books, inference: replace(inference, p_value=float(min(1, 9 * np.std(books[0])))),
    )

    assert "twice the leverage" in failures("invariance")


def test_a_verdict_that_is_always_strong(monkeypatch) -> None:
    monkeypatch.setattr(significance, "grade_evidence", lambda _: "strong")

    assert failures("size") == ["noise: verdicts"]


def test_randomness_without_a_seed(monkeypatch) -> None:
    unseeded = iter(range(1_000))
    monkeypatch.setattr(evaluate, "derive_seed", lambda *_: next(unseeded))

    assert "the same again" in failures("invariance")


@pytest.mark.parametrize(
    ("rule", "check", "row"),
    [
        (MeanReversion, "mean_reverting", "a market for mean reversion"),
        (MovingAverageCrossover, "trending", "a market for the crossover"),
    ],
)
def test_a_rule_that_does_the_opposite(monkeypatch, rule, check, row) -> None:
    positions = rule.compute_positions
    monkeypatch.setattr(
        rule, "compute_positions", lambda self, close: 1.0 - positions(self, close)
    )

    assert failures(check) == [row]


def test_a_search_whose_other_tries_do_not_count(monkeypatch) -> None:
    """The lead over holding is then not asked for: it is below 0 on average in such a market."""
    alone = evidence.run_sharpe_selection_test

    def test_alone(trials, level):
        return alone(replace(trials, others=()), level)

    monkeypatch.setattr(evidence, "run_sharpe_selection_test", test_alone)
    monkeypatch.setattr(evidence, "run_lead_selection_test", test_alone)
    monkeypatch.setattr(
        evidence, "studentise_lead", lambda own: evidence.studentise_sharpe(np.array(own.returns))
    )

    assert failures("search") == ["the best of a search"]
