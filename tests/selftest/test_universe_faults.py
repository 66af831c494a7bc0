"""The checks of universes pass on the engine, and fail on one with the fault they are for."""

from __future__ import annotations

import pytest

import engine.evaluation.evidence as evidence
import engine.evaluation.forecasts.cross_section as cross_section
import engine.selftest.universe_check as universe_check
import engine.selftest.universe_markets as universe_markets
from engine.portfolio.allocation import LongShortAllocation
from engine.selftest.run import run_selftest
from engine.selftest.universe_check import UniverseEdgeCheck, UniverseNoiseCheck

pytestmark = pytest.mark.slow

NOISE = UniverseNoiseCheck(markets=25)
CORRELATED = UniverseNoiseCheck(markets=25, noise="correlated")
EDGE = UniverseEdgeCheck(markets=20)


def failures(*checks) -> list[str]:
    result = run_selftest(workers=1, checks=checks)
    return [row.name for row in result.rows if not row.passed]


def test_a_correct_engine_passes() -> None:
    assert failures(NOISE, CORRELATED, EDGE) == []


def test_a_rank_ic_whose_error_is_half_of_the_true_one(monkeypatch) -> None:
    error = cross_section.long_run_variance
    monkeypatch.setattr(cross_section, "long_run_variance", lambda v: error(v) / 4)
    monkeypatch.setattr(cross_section, "truncated_variance", lambda *_: 0.0)

    assert "100 symbols of noise: rank IC" in failures(NOISE)


def test_a_rank_ic_that_is_never_significant(monkeypatch) -> None:
    error = cross_section.long_run_variance
    monkeypatch.setattr(cross_section, "long_run_variance", lambda v: 100 * error(v))

    assert failures(EDGE) == ["an edge over 50 symbols: rank IC"]


def test_symbols_whose_p_values_are_not_adjusted_for_their_number(monkeypatch) -> None:
    monkeypatch.setattr(universe_markets, "holm_by_name", lambda p_values: p_values)

    assert failures(NOISE, CORRELATED) == [
        "100 symbols of noise: single symbols",
        "100 correlated symbols: single symbols",
    ]


def test_a_verdict_that_is_always_weak(monkeypatch) -> None:
    monkeypatch.setattr(universe_check, "grade_run", lambda *_: "weak")

    assert failures(CORRELATED) == ["100 correlated symbols: verdicts"]


def test_a_book_that_holds_the_wrong_end(monkeypatch) -> None:
    divide = LongShortAllocation.divide
    monkeypatch.setattr(LongShortAllocation, "divide", lambda self, row: -divide(self, row))

    assert failures(EDGE) == ["an edge over 50 symbols: verdicts"]


def test_a_verdict_that_never_names_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "grade_evidence", lambda _: "none")

    assert failures(EDGE) == ["an edge over 50 symbols: verdicts"]
