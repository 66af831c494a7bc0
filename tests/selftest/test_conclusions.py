"""Conclusions of each check from made-up observations, at its real number of markets."""

from __future__ import annotations

import numpy as np
import pytest

from engine.selftest.cost_check import CostMonotonicityCheck
from engine.selftest.interpretation_check import AttributionCheck
from engine.selftest.run import CHECKS
from engine.selftest.search_check import SearchCheck
from engine.selftest.significance_check import PowerCheck, SizeCheck


def of_kind(kind):
    (check, *_) = (check for check in CHECKS if isinstance(check, kind))
    return check


def noise_observations(
    p_values: np.ndarray, covered: np.ndarray, graded: np.ndarray
) -> list[dict]:
    return [
        {
            "significant": bool(p < 0.05),
            "holds_truth": bool(h),
            "grade": "weak" if g else "none",
        }
        for p, h, g in zip(p_values, covered, graded, strict=True)
    ]


def passed_rows(check, observations) -> list[bool]:
    return [row.passed for row in check.conclude(observations)]


@pytest.fixture
def calibrated() -> dict[str, np.ndarray]:
    """Uniform p-values, and intervals with their nominal coverage."""
    count = of_kind(SizeCheck).markets
    uniform = (np.arange(count) + 0.5) / count
    return {"p_values": uniform, "covered": uniform < 0.95, "graded": uniform < 0.025}


def test_the_nominal_rates_pass(calibrated) -> None:
    assert passed_rows(of_kind(SizeCheck), noise_observations(**calibrated)) == [True, True, True]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"p_values": lambda p: p / 2}, [False, True, True]),
        ({"covered": lambda h: h & (np.arange(len(h)) % 12 > 0)}, [True, False, True]),
        ({"graded": lambda g: g | (np.arange(len(g)) % 20 == 7)}, [True, True, False]),
    ],
    ids=["p-values halved", "a twelfth of the intervals miss", "a twentieth graded"],
)
def test_a_rate_off_the_nominal_one_fails(calibrated, fault, expected) -> None:
    changed = {name: fault.get(name, lambda v: v)(values) for name, values in calibrated.items()}

    assert passed_rows(of_kind(SizeCheck), noise_observations(**changed)) == expected


def test_a_test_that_never_rejects_has_size_but_no_power(calibrated) -> None:
    calibrated["p_values"] = np.ones_like(calibrated["p_values"])
    power = of_kind(PowerCheck)

    assert passed_rows(of_kind(SizeCheck), noise_observations(**calibrated)) == [True, True, True]
    assert passed_rows(power, [{"significant": False, "sharpe": 3.0}] * power.markets) == [False]


@pytest.mark.parametrize(
    ("rejections", "passed"), [(60, True), (56, True), (55, False), (48, False)]
)
def test_the_whole_interval_of_the_power_has_to_reach_the_minimum(
    rejections: int, passed: bool
) -> None:
    observations = [{"significant": row < rejections, "sharpe": 3.0} for row in range(60)]

    assert passed_rows(PowerCheck(markets=60, min_power=0.8), observations) == [passed]


def test_one_book_that_is_richer_at_higher_costs_fails() -> None:
    observation = {"compared": 30, "richer": 0, "poorer": 27}

    assert passed_rows(CostMonotonicityCheck(1), [observation, observation]) == [True]
    assert passed_rows(CostMonotonicityCheck(1), [observation, observation | {"richer": 1}]) == [
        False
    ]
    assert passed_rows(CostMonotonicityCheck(1), [observation | {"poorer": 0}]) == [False]


def test_every_check_has_its_own_random_streams() -> None:
    assert len({check.key for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(("graded", "passed"), [(0, True), (5, True), (10, True), (17, False)])
def test_a_search_fails_where_more_than_a_twentieth_is_surely_graded(graded, passed) -> None:
    check = of_kind(SearchCheck)
    grades = ["weak"] * graded + ["none"] * (check.markets - graded)

    assert passed_rows(check, [{"grade": grade} for grade in grades]) == [passed]


@pytest.mark.parametrize(
    ("found", "matters", "expected"),
    [(95, 95, [True, True]), (94, 95, [False, True]), (95, 94, [True, False])],
)
def test_a_planted_input_has_to_be_found_in_95_of_100_markets(found, matters, expected) -> None:
    observations = [
        {"right_cell": number < found, "cause_matters": number < matters, "any_matters": True}
        for number in range(100)
    ]

    assert passed_rows(AttributionCheck(markets=100), observations) == expected


@pytest.mark.parametrize(("called", "expected"), [(10, True), (24, False)])
def test_noise_may_matter_at_the_nominal_rate(called: int, expected: bool) -> None:
    observations = [{"any_matters": number < called} for number in range(200)]

    assert passed_rows(AttributionCheck(markets=200, planted=False), observations) == [expected]
