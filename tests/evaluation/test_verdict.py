from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.evaluation.inference.bootstrap import SharpeInference
from engine.evaluation.inference.selection import SelectionTest
from engine.evaluation.inference.trial_set import IdeaLooks
from engine.evaluation.verdict import Evidence, TrialCounts, cap_grade, grade_evidence
from engine.evaluation.verdict_sentence import verdict_sentence

SPAN = ("2010-01-04", "2018-12-31")
EARNS = SharpeInference(1.0, 0.4, 1.6, 0.001, 4.0)
UNSURE = SharpeInference(0.45, -0.2, 1.1, 0.09, 4.0)
BETTER = SharpeInference(0.5, 0.1, 0.9, 0.01, 3.0)
EVEN = SharpeInference(0.2, -0.3, 0.7, 0.4, 3.0)
WORSE = SharpeInference(-0.5, -0.9, -0.1, 0.01, 3.0)
UNDEFINED = SharpeInference()


def selected(p_value: float, **changes: float) -> SelectionTest:
    test = SelectionTest(
        statistic=3.0,
        p_value=p_value,
        single_p_value=0.001,
        effective_trials=1.0,
        expected_maximum=0.0,
        hurdle=1.645,
        detectable=0.05,
        standard_error=0.02,
        effective_bars=300.0,
    )
    return replace(test, **changes)


def evidence(sharpe: SharpeInference, **differences: SharpeInference) -> Evidence:
    """All that a strong grade needs, but for the figures given."""
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
        periods_per_year=252.0,
        trial_counts=TrialCounts(),
        selected_sharpe=selected(0.002),
        selected_lead=selected(0.004),
        round_trips=120,
        timing_p_value=0.01,
        cost_bps=15.0,
        break_even_multiple=2.5,
    )


STRONG = evidence(EARNS, buy_and_hold=BETTER, ridge=BETTER)


def test_strong_evidence_passes_every_condition() -> None:
    assert grade_evidence(STRONG) == "strong"


@pytest.mark.parametrize(
    ("changes", "grade"),
    [
        ({"selected_sharpe": selected(0.011)}, "weak"),
        ({"selected_lead": selected(0.011)}, "weak"),
        ({"selected_sharpe": selected(0.051)}, "none"),
        ({"selected_lead": selected(0.051)}, "none"),
        ({"selected_sharpe": None}, "none"),
        ({"selected_lead": None}, "none"),
        ({"round_trips": 9}, "none"),
        ({"round_trips": None}, "none"),
        ({"selected_sharpe": selected(0.002, effective_bars=9.0)}, "none"),
        ({"selected_lead": selected(0.004, effective_bars=9.0)}, "none"),
        ({"cost_bps": 0.0}, "weak"),
        ({"cost_bps": None}, "weak"),
        ({"timing_p_value": 0.051}, "moderate"),
        ({"timing_p_value": None}, "moderate"),
        ({"break_even_multiple": 1.9}, "moderate"),
        ({"break_even_multiple": None}, "moderate"),
        ({"p_values_holm": {"buy_and_hold": 0.01, "ridge": 0.051}}, "moderate"),
        ({"p_values_holm": {"buy_and_hold": 0.01, "ridge": None}}, "moderate"),
    ],
)
def test_a_condition_that_is_not_passed_or_not_defined_limits_the_grade(
    changes: dict[str, Any], grade: str
) -> None:
    assert grade_evidence(replace(STRONG, **changes)) == grade


@pytest.mark.parametrize(
    "case",
    [
        evidence(UNDEFINED, buy_and_hold=UNDEFINED),
        evidence(UNSURE, buy_and_hold=BETTER),
        evidence(EARNS, buy_and_hold=WORSE, ridge=BETTER),
        evidence(EARNS, buy_and_hold=BETTER, ridge=WORSE),
    ],
)
def test_no_grade_without_an_interval_above_zero_and_the_highest_ratio(case: Evidence) -> None:
    assert grade_evidence(case) == "none"
    assert verdict_sentence(case).startswith("No evidence that")


@pytest.mark.parametrize(
    ("confidence", "p_value", "grade"),
    [
        (0.55, 0.051, "none"),
        (0.55, 0.049, "weak"),
        (0.55, 0.009, "strong"),
        (0.99, 0.009, "weak"),
        (0.99, 0.011, "none"),
    ],
)
def test_a_low_confidence_raises_no_grade_and_a_high_one_lowers_it(
    confidence: float, p_value: float, grade: str
) -> None:
    case = replace(
        STRONG,
        confidence=confidence,
        selected_sharpe=selected(p_value),
        timing_p_value=0.001,
        p_values_holm=dict.fromkeys(STRONG.differences, 0.001),
    )
    assert grade_evidence(case) == grade


@pytest.mark.parametrize(
    ("own", "sharpe", "lead", "expected"),
    [
        ("strong", 0.01, 0.01, "strong"),
        ("strong", 0.04, 0.001, "weak"),
        ("strong", 0.001, 0.06, "none"),
        ("weak", 0.001, 0.001, "weak"),
        ("none", 0.001, 0.001, "none"),
        ("moderate", None, 0.001, "none"),
        ("moderate", 0.001, None, "none"),
    ],
)
def test_more_trials_cap_a_grade(
    own: str, sharpe: float | None, lead: float | None, expected: str
) -> None:
    assert cap_grade(own, sharpe, lead, 0.95) == expected


def test_the_sentence_of_strong_evidence() -> None:
    assert verdict_sentence(STRONG) == (
        "Strong evidence that the strategy earns more than chance and holding would give, and "
        "beats ridge: annualised Sharpe ratio 1.00 (95 % interval 0.40 to 1.60) over a risk-free "
        "rate of 0 % from 2010-01-04 to 2018-12-31; the strongest benchmark, buy and hold, has "
        "0.50, a difference of +0.50 (95 % interval 0.10 to 0.90). It is the first look that the "
        "ledger knows: chance alone reaches this Sharpe ratio with p = 0.002, and this lead over "
        "holding with p = 0.004."
    )


def test_the_sentence_states_the_mean_risk_free_rate() -> None:
    over = replace(STRONG, risk_free_pct=2.149)
    assert "1.60) over a risk-free rate of 2.1 % from" in verdict_sentence(over)


def test_the_sentence_names_the_benchmarks_that_are_not_beaten() -> None:
    case = evidence(EARNS, buy_and_hold=BETTER, ridge=BETTER, ma_crossover=EVEN)
    assert verdict_sentence(case).startswith(
        "Moderate evidence that the strategy earns more than chance and holding would give, and "
        "beats ridge, but does not beat ma crossover: annualised Sharpe ratio 1.00"
    )


def test_with_a_ledger_that_could_not_be_read_the_grade_is_at_most_weak() -> None:
    assert grade_evidence(STRONG) == "strong"
    unknown = replace(STRONG, trial_counts=None)
    assert grade_evidence(unknown) == "weak"
    assert "is not known, which caps the grade at weak" in verdict_sentence(unknown)


def test_the_sentence_counts_looks_and_how_often_the_idea_was_looked_at() -> None:
    counts = TrialCounts(12, 40, IdeaLooks(looks=3, start_dates=3))
    many = replace(
        STRONG, trial_counts=counts, selected_sharpe=selected(0.3, effective_trials=44.06)
    )
    text = verdict_sentence(many)
    assert text.startswith(
        "No evidence that the strategy earns more than the best of so many trials by chance"
    )
    assert (
        "The ledger counts 12 looks, 40 more are declared (this idea has been "
        "looked at 3 times, from 3 start dates), together worth 44.1 independent ones: without "
        "skill the "
        "best of them reaches this Sharpe ratio with p = 0.300, and this lead over holding with "
        "p = 0.004." in text
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"sharpe": UNSURE, "selected_sharpe": selected(0.2)},
            "No evidence that the strategy earns more than chance would give: annualised",
        ),
        (
            {"sharpe": UNSURE},
            "No evidence that the strategy earns more than chance would give for certain (the "
            "interval of its Sharpe ratio includes 0): annualised",
        ),
        (
            {"benchmark_sharpes": {"buy_and_hold": 0.5, "ridge": 1.5}},
            "No evidence that the strategy earns more than its strongest benchmark: annualised",
        ),
        (
            {"round_trips": 4},
            "No evidence that the strategy earns more than chance would give (it trades too "
            "rarely to tell): annualised",
        ),
        (
            {"selected_lead": None},
            "No evidence that the strategy earns more than holding (it is holding, or holding has "
            "no Sharpe ratio): annualised",
        ),
        (
            {"selected_lead": selected(0.2)},
            "No evidence that the strategy earns more than holding would give: annualised",
        ),
        (
            {"selected_lead": selected(0.2), "trial_counts": TrialCounts(9)},
            "No evidence that the strategy leads holding by more than the best of so many trials "
            "by chance: annualised",
        ),
    ],
)
def test_a_sentence_without_a_grade_names_the_first_condition_missed(
    changes: dict[str, Any], expected: str
) -> None:
    assert verdict_sentence(replace(STRONG, **changes)).startswith(expected)


def test_the_sentence_states_too_few_trades() -> None:
    few = replace(STRONG, round_trips=4, selected_sharpe=selected(0.002, effective_bars=3.2))
    assert (
        "Too few trades for a grade: 4 finished round trips, of 10 needed and 3 bars carry the "
        "result, of 10 needed." in verdict_sentence(few)
    )


@pytest.mark.parametrize(
    ("detectable", "expected"),
    [
        (
            0.1,
            "The span is too short to tell: only a true Sharpe ratio of 1.59 or more would be "
            "found in 80 % of such samples.",
        ),
        (
            0.05,
            "The span is long enough, and shows nothing: a true Sharpe ratio of 0.79 would be "
            "found in 80 % of such samples.",
        ),
    ],
)
def test_a_sentence_without_a_grade_states_the_power(detectable: float, expected: str) -> None:
    case = replace(STRONG, selected_sharpe=selected(0.2, detectable=detectable))
    assert verdict_sentence(case).endswith(expected)


def test_nothing_is_said_of_the_power_where_no_p_value_denies_the_grade() -> None:
    for changes in ({"round_trips": 4}, {"benchmark_sharpes": {"ridge": 1.5}}, {"sharpe": UNSURE}):
        text = verdict_sentence(replace(STRONG, **changes))
        assert text.startswith("No evidence")
        assert "80 % of such samples" not in text


def test_the_power_is_that_of_the_lead_where_only_the_lead_fails() -> None:
    text = verdict_sentence(replace(STRONG, selected_lead=selected(0.2, detectable=0.1)))
    assert text.endswith(
        "only a true lead over holding of 1.59 or more would be found in 80 % of such samples."
    )


def test_the_sentence_of_settings_that_limit_the_grade() -> None:
    assert "No costs are charged, so that the evidence is weak at most." in verdict_sentence(
        replace(STRONG, cost_bps=0.0)
    )
    assert "The grade is judged at 95 %" in verdict_sentence(replace(STRONG, confidence=0.55))
    assert "judged at" not in verdict_sentence(STRONG)


def test_the_sentence_of_a_ruined_strategy_has_no_sharpe_ratio() -> None:
    assert verdict_sentence(replace(STRONG, ruined_on="2015-03-04")) == (
        "No evidence that the strategy earns anything: it lost everything on 2015-03-04, from "
        "2010-01-04 to 2018-12-31."
    )


def test_the_sentence_of_a_strategy_that_never_traded() -> None:
    assert verdict_sentence(evidence(UNDEFINED, buy_and_hold=UNDEFINED)) == (
        "No evidence that the strategy earns anything: too few bars, or too few trades, for a "
        "Sharpe ratio from 2010-01-04 to 2018-12-31."
    )
