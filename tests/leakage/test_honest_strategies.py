"""Honest strategies drawn over the schema: the leakage test detects nothing in them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.selftest.leak_test import certify_case
from engine.selftest.random_strategies import draw_case


@pytest.mark.slow
@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(seed=st.integers(0, 2**31 - 1))
def test_no_look_ahead_is_detected_in_an_honest_strategy(seed: int) -> None:
    certify_case(draw_case(seed))


def test_equal_seeds_give_equal_strategies_on_equal_bars() -> None:
    one, two, other = draw_case(3), draw_case(3), draw_case(4)
    assert one.spec == two.spec != other.spec
    assert one.market.bars.equals(two.market.bars)


@pytest.mark.slow
def test_the_draws_vary_over_the_schema() -> None:
    cases = [draw_case(seed) for seed in range(80)]
    specs = [case.spec for case in cases]
    assert {spec.signal.kind for spec in specs} == {"threshold", "cost_multiple", "quantile"}
    assert {spec.sizing.kind for spec in specs} == {"fixed", "proportional", "volatility_target"}
    assert {spec.scaling.kind for spec in specs} == {"standard", "minmax", "rolling_zscore"}
    assert {spec.model.kind for spec in specs} == {"ridge", "ensemble"}
    assert {spec.windows.kind for spec in specs} == {"rolling", "expanding"}
    assert {spec.execution.price for spec in specs} == {"open", "close"}
    assert {spec.execution.delay for spec in specs} == {1, 2, 3}
    assert {spec.signal.side for spec in specs} == {"long_only", "long_short"}
    assert {spec.inputs for spec in specs} == {"all", "target"}
    assert {case.market.interval for case in cases} == {"1d", "1h"}
    assert {bool(spec.resolutions) for spec in specs} == {True, False}
    assert {case.rates is None for case in cases} == {True, False}
    assert len({feature.kind for spec in specs for feature in spec.features}) > 18
