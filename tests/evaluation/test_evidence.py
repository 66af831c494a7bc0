"""The grade alone is that of the document, whatever makes the run fail or pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.data.rates import RatesByBar
from engine.evaluation.config import EvaluationSpec
from engine.evaluation.evidence import grade_run
from engine.evaluation.significance import assess_significance
from engine.selftest.return_processes import iid_normal
from engine.selftest.searched_market import MarketKind
from engine.selftest.timing_rules import RandomTurns

SPEC = EvaluationSpec(resamples=200)


@pytest.mark.parametrize(
    ("premium", "edge", "tries", "grade"),
    [
        (0.0, None, 1, "none"),
        (0.0, None, 40, "none"),
        (2.0, None, 20, "none"),
        (1.0, 4.0, 1, "strong"),
        (0.0, 3.0, 40, "weak"),
    ],
    ids=["noise", "a search in noise", "a rising market", "skill", "skill among 40 rules"],
)
def test_the_grade_alone_is_that_of_the_document(
    premium: float, edge: float | None, tries: int, grade: str
) -> None:
    kind = MarketKind(iid_normal, RandomTurns(), premium=premium, edge=edge, bars=500)
    inputs = kind.draw(np.random.default_rng(4), tries).select_best(tries)
    found = grade_run(inputs, SPEC, np.random.default_rng(7))
    assert found == grade
    document = assess_significance(inputs, SPEC, np.random.default_rng(7))
    assert found == document.verdict.grade


def test_declared_tries_and_the_risk_free_rate_lower_the_grade_alone_too() -> None:
    kind = MarketKind(iid_normal, RandomTurns(), premium=1.0, edge=4.0, bars=500)
    inputs = kind.draw(np.random.default_rng(4), 1).select_best(1)
    declared = replace(inputs, trials=replace(inputs.trials, elsewhere=10**9))
    dear = replace(inputs, rates=RatesByBar.constant(inputs.returns.index, risk_free=0.5))
    for worse in (declared, dear):
        assert grade_run(worse, SPEC, np.random.default_rng(7)) == "none"
