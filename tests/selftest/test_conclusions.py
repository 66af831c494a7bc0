"""What a check concludes from what was seen, at the number of markets it really has."""

from __future__ import annotations

import numpy as np
import pytest

from engine.selftest.cost_check import CostMonotonicityCheck
from engine.selftest.power_check import PowerCheck
from engine.selftest.run import CHECKS
from engine.selftest.size_check import SizeCheck

HONEST = {"significant": False, "holds_truth": True, "grade": "none"}


def of_kind(kind):
    (check, *_) = (check for check in CHECKS if isinstance(check, kind))
    return check


def lucky(p_values: np.ndarray, held: np.ndarray, graded: np.ndarray) -> list[dict]:
    return [
        {
            "significant": bool(p < 0.05),
            "holds_truth": bool(h),
            "grade": "weak" if g else "none",
        }
        for p, h, g in zip(p_values, held, graded, strict=True)
    ]


def verdicts(check, seen) -> list[bool]:
    return [row.passed for row in check.conclude(seen)]


@pytest.fixture
def sound() -> dict[str, np.ndarray]:
    """Evenly spread p-values, intervals that hold as often as they say."""
    count = of_kind(SizeCheck).markets
    even = (np.arange(count) + 0.5) / count
    return {"p_values": even, "held": even < 0.95, "graded": even < 0.025}


def test_luck_at_exactly_the_promised_rates_passes(sound) -> None:
    assert verdicts(of_kind(SizeCheck), lucky(**sound)) == [True, True, True]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"p_values": lambda p: p / 2}, [False, True, True]),
        ({"held": lambda h: h & (np.arange(len(h)) % 12 > 0)}, [True, False, True]),
        ({"graded": lambda g: g | (np.arange(len(g)) % 20 == 7)}, [True, True, False]),
    ],
    ids=["p-values halved", "a twelfth of the intervals miss", "a twentieth praised"],
)
def test_luck_that_is_taken_for_more_fails(sound, fault, expected) -> None:
    changed = {name: fault.get(name, lambda v: v)(values) for name, values in sound.items()}

    assert verdicts(of_kind(SizeCheck), lucky(**changed)) == expected


def test_tests_that_never_reject_are_no_false_alarm_but_find_no_edge(sound) -> None:
    sound["p_values"] = np.ones_like(sound["p_values"])
    edge = of_kind(PowerCheck)

    assert verdicts(of_kind(SizeCheck), lucky(**sound)) == [True, True, True]
    assert verdicts(edge, [{"significant": False, "sharpe": 3.0}] * edge.markets) == [False]


@pytest.mark.parametrize(("found", "passed"), [(60, True), (56, True), (55, False), (48, False)])
def test_the_power_has_to_be_shown_not_only_be_possible(found: int, passed: bool) -> None:
    seen = [{"significant": row < found, "sharpe": 3.0} for row in range(60)]

    assert verdicts(PowerCheck(markets=60, min_power=0.8), seen) == [passed]


def test_one_book_made_richer_by_costs_is_enough() -> None:
    seen = {"compared": 30, "richer": 0, "poorer": 27}

    assert verdicts(CostMonotonicityCheck(1), [seen, seen]) == [True]
    assert verdicts(CostMonotonicityCheck(1), [seen, seen | {"richer": 1}]) == [False]
    assert verdicts(CostMonotonicityCheck(1), [seen | {"poorer": 0}]) == [False]


def test_every_check_draws_markets_of_its_own() -> None:
    assert len({check.key for check in CHECKS}) == len(CHECKS)
