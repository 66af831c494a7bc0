from __future__ import annotations

from dataclasses import replace

import pytest

from engine.evaluation.inference.bootstrap import SharpeInference
from engine.evaluation.verdict import (
    Evidence,
    TrialCounts,
    grade_evidence,
    no_skill_sentence,
    verdict_sentence,
)

SPAN = ("2010-01-04", "2018-12-31")
EARNS = SharpeInference(1.0, 0.4, 1.6, 0.001, 4.0)
UNSURE = SharpeInference(0.45, -0.2, 1.1, 0.09, 4.0)
BETTER = SharpeInference(0.5, 0.1, 0.9, 0.01, 3.0)
EVEN = SharpeInference(0.2, -0.3, 0.7, 0.4, 3.0)
WORSE = SharpeInference(-0.5, -0.9, -0.1, 0.01, 3.0)
UNDEFINED = SharpeInference()
FIRST = (
    "It is the first strategy tried on these bars, as far as the ledger knows: deflated Sharpe "
    "ratio 0.97, the probability that it is better than chance."
)


def evidence(sharpe: SharpeInference, **differences: SharpeInference) -> Evidence:
    return Evidence(
        sharpe=sharpe,
        differences=differences,
        p_values_holm={name: each.p_value for name, each in differences.items()},
        benchmark_sharpes={
            name: None
            if sharpe.estimate is None or each.estimate is None
            else sharpe.estimate - each.estimate
            for name, each in differences.items()
        },
        confidence=0.95,
        span=SPAN,
        trial_counts=TrialCounts(),
        deflated_sharpe=0.97,
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (evidence(UNDEFINED, buy_and_hold=UNDEFINED), "none"),
        (evidence(UNSURE, buy_and_hold=BETTER, ridge=BETTER), "none"),
        (evidence(EARNS, buy_and_hold=EVEN, ridge=EVEN), "none"),
        (evidence(EARNS, buy_and_hold=WORSE, ridge=WORSE), "none"),
        (evidence(EARNS, buy_and_hold=UNDEFINED), "none"),
        (evidence(EARNS), "none"),
        (evidence(EARNS, buy_and_hold=EVEN, ridge=BETTER), "weak"),
        (evidence(EARNS, ridge=BETTER), "weak"),
        (evidence(EARNS, buy_and_hold=WORSE, ridge=BETTER), "none"),
        (evidence(EARNS, buy_and_hold=BETTER, ma_crossover=WORSE), "none"),
        (evidence(EARNS, buy_and_hold=BETTER, ridge=EVEN), "moderate"),
        (evidence(EARNS, buy_and_hold=BETTER, ridge=UNDEFINED), "moderate"),
        (evidence(EARNS, buy_and_hold=BETTER, ridge=BETTER), "strong"),
    ],
)
def test_grades(case: Evidence, expected: str) -> None:
    assert grade_evidence(case) == expected
    assert verdict_sentence(case).startswith("No evidence that") == (expected == "none")


def test_a_difference_counts_by_its_adjusted_p_value() -> None:
    case = evidence(EARNS, buy_and_hold=BETTER)
    adjusted = replace(case, p_values_holm={"buy_and_hold": 0.051})
    assert grade_evidence(adjusted) == "none"


STRONG = evidence(EARNS, buy_and_hold=BETTER, ridge=BETTER)


@pytest.mark.parametrize(
    ("deflated", "expected"),
    [(None, "none"), (0.89, "none"), (0.90, "weak"), (0.94, "weak"), (0.95, "strong")],
)
def test_the_deflated_sharpe_ratio_limits_the_grade(deflated: float | None, expected: str) -> None:
    assert grade_evidence(replace(STRONG, deflated_sharpe=deflated)) == expected


@pytest.mark.parametrize(
    ("further", "expected"),
    [
        (
            {"superior_to_benchmark": True, "timing_p_value": 0.04, "break_even_multiple": 2.0},
            "strong",
        ),
        ({"superior_to_benchmark": False}, "moderate"),
        ({"timing_p_value": 0.051}, "moderate"),
        ({"break_even_multiple": 1.9}, "moderate"),
    ],
)
def test_strong_evidence_passes_every_test_that_is_defined(
    further: dict[str, float], expected: str
) -> None:
    assert grade_evidence(replace(STRONG, **further)) == expected


def test_the_sentence_counts_the_trials() -> None:
    many = replace(STRONG, trial_counts=TrialCounts(12, 3), deflated_sharpe=0.5)
    assert verdict_sentence(many).startswith(
        "No evidence that the strategy earns more than the best of so many trials by chance: "
        "annualised Sharpe ratio 1.00"
    )
    assert verdict_sentence(many).endswith(
        "12 strategies were tried on these bars, worth 3 independent ones: deflated Sharpe "
        "ratio 0.50, the probability that it is better than the best of so many trials by chance."
    )


def test_the_sentence_when_the_interval_includes_zero() -> None:
    assert verdict_sentence(evidence(UNSURE, buy_and_hold=WORSE, ridge=EVEN)) == (
        "No evidence that the strategy earns more than chance would give: annualised Sharpe "
        "ratio 0.45 (95 % interval -0.20 to 1.10) from 2010-01-04 to 2018-12-31; the strongest "
        "benchmark, buy and hold, has 0.95, a difference of -0.50 (95 % interval -0.90 to -0.10). "
        f"{FIRST}"
    )


def test_the_sentence_when_no_benchmark_is_beaten() -> None:
    assert verdict_sentence(evidence(EARNS, buy_and_hold=EVEN)) == (
        "No evidence that the strategy beats any of its benchmarks: annualised Sharpe ratio 1.00 "
        "(95 % interval 0.40 to 1.60) from 2010-01-04 to 2018-12-31; the strongest benchmark, buy "
        "and hold, has 0.80, a difference of +0.20 (95 % interval -0.30 to 0.70). "
        f"{FIRST}"
    )


def test_the_sentence_when_a_benchmark_has_a_higher_sharpe_ratio() -> None:
    assert verdict_sentence(evidence(EARNS, buy_and_hold=WORSE, ridge=BETTER)) == (
        "No evidence that the strategy earns more than its strongest benchmark: annualised Sharpe "
        "ratio 1.00 (95 % interval 0.40 to 1.60) from 2010-01-04 to 2018-12-31; the strongest "
        "benchmark, buy and hold, has 1.50, a difference of -0.50 (95 % interval -0.90 to -0.10). "
        f"{FIRST}"
    )


def test_the_sentence_names_the_benchmarks_beaten_and_the_others() -> None:
    text = verdict_sentence(evidence(EARNS, buy_and_hold=BETTER, ridge=BETTER, ma_crossover=EVEN))
    assert text.startswith(
        "Moderate evidence that the strategy earns more than chance would give and beats buy and "
        "hold and ridge but not ma crossover: annualised Sharpe ratio 1.00"
    )


def test_the_sentence_of_a_strategy_that_never_traded() -> None:
    assert verdict_sentence(evidence(UNDEFINED, buy_and_hold=UNDEFINED)) == (
        "No evidence that the strategy earns anything: too few bars, or too few trades, for a "
        "Sharpe ratio from 2010-01-04 to 2018-12-31."
    )


def test_the_sentence_without_benchmarks() -> None:
    assert verdict_sentence(evidence(EARNS)).startswith(
        "No evidence that the strategy earns more than simple rules"
    )


def scores(r2: float | None, right: float | None, up: float | None) -> dict[str, float | None]:
    return {"r2_vs_persistence": r2, "directional_accuracy_pct": right, "up_share_pct": up}


def test_the_sentence_on_forecasts_without_skill() -> None:
    assert no_skill_sentence(scores(-0.0123, 51.24, 54.0)) == (
        "The forecasts show no skill: their errors are no smaller than those of no change (R² "
        "-0.0123), and their direction is right 51.2 % of the time, always up 54.0 %."
    )
    assert "errors" in str(no_skill_sentence(scores(0.0, 55.0, 54.0)))
    assert "direction" in str(no_skill_sentence(scores(0.01, 54.0, 54.0)))


def test_no_sentence_about_forecasts_with_skill_or_without_scores() -> None:
    assert no_skill_sentence(scores(0.01, 55.0, 54.0)) is None
    assert no_skill_sentence(scores(None, None, None)) is None
