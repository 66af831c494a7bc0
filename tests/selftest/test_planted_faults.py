"""The self-test cannot lie: of a broken engine each check says so.

Each fault is put into the engine itself, and the check that has to see it runs for real, on as few
markets as show it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import engine.backtest.evaluate as judges
import engine.evaluation.significance as judging
import engine.pipeline.steps as stages
import engine.selftest.harness as passage
import engine.simulation.portfolio as simulating
from engine.core.errors import LookaheadError
from engine.models.baselines.ridge import Ridge
from engine.models.dataset import Forecast
from engine.selftest.cost_check import CostMonotonicityCheck
from engine.selftest.invariance_check import InvarianceCheck
from engine.selftest.leakage_check import LeakageDetectionCheck
from engine.selftest.lookahead_check import LateOracleCheck
from engine.selftest.power_check import PowerCheck
from engine.selftest.rule_check import RuleRankingCheck
from engine.selftest.run import run_selftest
from engine.selftest.size_check import SizeCheck
from engine.signals.benchmarks import MeanReversion, MovingAverageCrossover
from engine.simulation.config import Costs

if TYPE_CHECKING:
    from engine.selftest.base import SelfTestCheck

SMALL: dict[str, SelfTestCheck] = {
    "oracle": LateOracleCheck(markets=1, bars=2_000),
    "proof": LeakageDetectionCheck(markets=2),
    "edge": PowerCheck(markets=3, min_power=0.15),
    "luck": SizeCheck(markets=2),
    "costs": CostMonotonicityCheck(markets=1),
    "elastic": RuleRankingCheck(markets=3, min_win_rate=0.15),
    "trending": RuleRankingCheck(markets=3, rule="ma_crossover", min_win_rate=0.15),
    "unchanged": InvarianceCheck(markets=4),
}

pytestmark = pytest.mark.slow


def failures(*names: str) -> list[str]:
    done = run_selftest(workers=1, checks=[SMALL[name] for name in names])
    return [row.name for row in done.rows if not row.passed]


def test_a_sound_engine_passes_every_one_of_these() -> None:
    assert failures(*SMALL) == []


def test_a_certificate_for_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage, "run_leakage_test", lambda *_, **__: {"cuts": [1]})

    assert failures("proof") == ["certificate: oracle"]


def test_a_certificate_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_, **__):
        raise LookaheadError("Look-ahead", where="labels: MADE-UP")

    monkeypatch.setattr(passage, "run_leakage_test", refused)

    assert failures("proof") == ["certificate: oracle", "certificate: honest"]


def test_costs_that_are_not_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    simulate = stages.simulate
    free = Costs(fee_bps=0, slippage_bps=0)
    monkeypatch.setattr(stages, "simulate", lambda *a, **k: simulate(*a, **{**k, "costs": free}))

    assert failures("costs") == ["costs twice as high"]


def test_costs_that_are_paid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    simulate = stages.simulate

    def generous(*frames, costs, **rest):
        paid = costs.model_copy(update={"fee_bps": -costs.fee_bps})
        return simulate(*frames, costs=paid, **rest)

    monkeypatch.setattr(stages, "simulate", generous)

    assert failures("costs") == ["costs twice as high"]


def test_orders_filled_at_the_open_of_the_bar_that_decided_them(monkeypatch) -> None:
    schedule = simulating.schedule_orders
    monkeypatch.setattr(
        simulating, "schedule_orders", lambda w, delay: schedule(w, delay).shift(-1)
    )

    assert "one bar late" in failures("oracle")


def test_orders_filled_a_bar_too_late(monkeypatch) -> None:
    schedule = simulating.schedule_orders
    monkeypatch.setattr(simulating, "schedule_orders", lambda w, delay: schedule(w, delay + 1))

    assert failures("oracle", "edge") == ["an oracle", "a known edge"]


def test_a_model_that_learns_nothing(monkeypatch) -> None:
    monkeypatch.setattr(
        Ridge, "fit_predict", lambda _, problem, *__: Forecast.constant(problem, 1e-4)
    )

    assert failures("oracle", "edge") == ["an oracle", "a known edge"]


def changed(monkeypatch, change) -> None:
    """Every inference of the engine, altered."""
    infer = judging.infer_sharpe_ratios

    def altered(figures, *rest):
        return {name: change(figures[name], told) for name, told in infer(figures, *rest).items()}

    monkeypatch.setattr(judging, "infer_sharpe_ratios", altered)


def test_p_values_that_are_too_small(monkeypatch) -> None:
    changed(monkeypatch, lambda _, told: replace(told, p_value=told.p_value / 50))

    assert failures("luck") == ["noise: false alarms"]


def test_p_values_that_are_always_large(monkeypatch) -> None:
    changed(monkeypatch, lambda _, told: replace(told, p_value=1.0))

    assert failures("edge") == ["a known edge"]


def test_intervals_that_are_too_narrow(monkeypatch) -> None:
    changed(monkeypatch, lambda _, told: replace(told, low=told.estimate, high=told.estimate))

    assert "noise: intervals" in failures("luck")


def test_figures_that_are_missing(monkeypatch) -> None:
    changed(monkeypatch, lambda _, told: type(told)())

    assert failures("oracle", "edge", "luck") == [
        *("an oracle", "one bar late", "a known edge", "noise: intervals")
    ]


def test_evidence_that_depends_on_leverage(monkeypatch) -> None:
    changed(
        monkeypatch, lambda books, told: replace(told, p_value=float(min(1, 9 * np.std(books[0]))))
    )

    assert "twice the leverage" in failures("unchanged")


def test_a_verdict_that_praises_everything(monkeypatch) -> None:
    monkeypatch.setattr(judging, "grade_evidence", lambda _: "strong")

    assert failures("luck") == ["noise: verdicts"]


def test_randomness_without_a_seed(monkeypatch) -> None:
    unseeded = iter(range(1_000))
    monkeypatch.setattr(judges, "derive_seed", lambda *_: next(unseeded))

    assert "the same again" in failures("unchanged")


@pytest.mark.parametrize(
    ("rule", "check", "row"),
    [
        (MeanReversion, "elastic", "a market for mean reversion"),
        (MovingAverageCrossover, "trending", "a market for the crossover"),
    ],
)
def test_a_rule_that_does_the_opposite(monkeypatch, rule, check, row) -> None:
    stances = rule.compute_positions
    monkeypatch.setattr(rule, "compute_positions", lambda self, close: 1.0 - stances(self, close))

    assert failures(check) == [row]
