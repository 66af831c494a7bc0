"""The limits of a book hold at every close, whatever is forecast, absent or without an optimum."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.portfolio import (
    BookTerms,
    BookVolatilityTarget,
    EqualAllocation,
    InverseVolatilityAllocation,
    LongShortAllocation,
    MinimumVarianceAllocation,
    PortfolioRow,
    PortfolioSpec,
    PortfolioState,
    ProportionalAllocation,
    TopAllocation,
    rebalance,
)
from tests.hypothesis_examples import examples

DAYS = pd.date_range("2021-01-28", periods=12, freq="D", tz="UTC")
GROUPS = {"first": ("A", "B"), "second": ("C",)}
TERMS = BookTerms(max_weight=0.9, periods_per_year=252)
SPECS = st.builds(
    PortfolioSpec,
    allocation=st.sampled_from(
        [
            EqualAllocation(),
            ProportionalAllocation(),
            InverseVolatilityAllocation(window=4),
            TopAllocation(count=2),
            LongShortAllocation(quantile=0.5),
        ]
    ),
    rebalance=st.sampled_from([1, 3, "weekly"]),
    volatility_target=st.sampled_from([None, BookVolatilityTarget(annual=0.4, window=10)]),
    max_symbol_weight=st.sampled_from([None, 0.25]),
    groups=st.just(GROUPS),
    max_group_weight=st.sampled_from([0.2, 0.5]),
    max_net_weight=st.sampled_from([None, 0.0, 0.3]),
    min_change=st.sampled_from([0.0, 0.05, 0.3]),
    max_turnover=st.sampled_from([None, 0.5]),
)
ROW = st.lists(st.floats(-0.1, 0.1) | st.just(np.nan), min_size=4, max_size=4)


def closes_with_holes(seed: int, holes: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((30, 4)), axis=0))
    closes[rng.random(closes.shape) < holes] = np.nan
    return closes


@examples(120)
@given(
    spec=SPECS,
    forecasts=st.lists(ROW, min_size=1, max_size=12),
    seed=st.integers(0, 10**6),
    holes=st.sampled_from([0.0, 0.05, 0.5]),
)
def test_limits_hold_at_every_close(
    spec: PortfolioSpec, forecasts: list[list[float]], seed: int, holes: float
) -> None:
    closes, state = closes_with_holes(seed, holes), PortfolioState.start(4)
    for number, (day, predicted) in enumerate(zip(DAYS, map(np.array, forecasts), strict=False)):
        positions = np.nan_to_num(np.sign(predicted))
        sizes = np.full(4, 0.9)
        row = PortfolioRow(tuple("ABCD"), predicted, positions, sizes, closes[: 12 + number])
        before = np.where(np.isnan(predicted), 0.0, state.weights)
        state = rebalance(state, row, day, spec, TERMS)
        weights = state.weights
        assert np.isfinite(weights).all()
        assert np.abs(weights).sum() <= 0.9 + 1e-9
        assert np.abs(weights).max() <= (spec.max_symbol_weight or 1) + 1e-9
        assert np.abs(weights[:2]).sum() <= spec.max_group_weight + 1e-9
        assert np.abs(weights[2]) <= spec.max_group_weight + 1e-9
        assert abs(weights.sum()) <= (2 if (n := spec.max_net_weight) is None else n) + 1e-9
        if spec.max_turnover is not None and spec.max_net_weight is None:
            assert np.abs(weights - before).sum() <= spec.max_turnover + 1e-9


def wanted(weights: list[float], **limits) -> list[float]:
    own = np.array(weights)
    row = PortfolioRow(
        tuple("ABCD"),
        np.where(own == 0, 1.0, own),
        np.sign(own),
        np.abs(own) * 4,
        np.empty((0, 4)),
    )
    state = PortfolioState(None, 0, np.zeros(4))
    return rebalance(state, row, DAYS[0], PortfolioSpec(**limits)).weights.tolist()


def test_a_group_is_made_smaller_by_one_factor_and_the_rest_is_cash() -> None:
    found = wanted([0.3, -0.1, 0.25, 0.3], groups=GROUPS, max_group_weight=0.2)
    np.testing.assert_allclose(found, [0.15, -0.05, 0.2, 0.3])


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"groups": {"a": ["A"]}}, "max_group_weight"),
        ({"max_group_weight": 0.3}, "groups"),
        ({"groups": {"a": ["A", "B"], "b": ["B"]}, "max_group_weight": 0.3}, "twice: B"),
        ({"groups": {"a": ["A", "A"]}, "max_group_weight": 0.3}, "twice: A"),
    ],
)
def test_groups_and_their_limit_belong_together_and_no_symbol_is_in_two(
    section: dict, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        PortfolioSpec.model_validate(section)


def test_a_small_change_is_made_where_the_old_weight_breaks_the_limit_of_its_group() -> None:
    state = PortfolioState(None, 0, np.array([0.3, 0.1, 0.0, 0.0]))
    own = np.array([0.2, 0.2, 0.0, 0.0])
    row = PortfolioRow(tuple("ABCD"), np.ones(4), np.sign(own), own * 4, np.empty((0, 4)))
    spec = PortfolioSpec(groups={"a": ("A",), "b": ("B",)}, max_group_weight=0.25, min_change=0.15)
    assert rebalance(state, row, DAYS[0], spec).weights.tolist() == [0.2, 0.2, 0.0, 0.0]


def test_without_an_optimum_the_weights_stay_and_the_failure_is_counted() -> None:
    """Of one position no share of at most a half adds up to the whole."""
    spec = PortfolioSpec(
        allocation=MinimumVarianceAllocation(window=10, max_share=0.5), rebalance=2
    )
    closes = closes_with_holes(1, 0.0)[:, :2]
    state = PortfolioState(DAYS[0], 1, np.array([0.3, -0.2]), failed_optima=4)
    row = PortfolioRow(("A", "B"), np.ones(2), np.array([1.0, 0.0]), np.ones(2), closes)
    state = rebalance(state, row, DAYS[1], spec)
    assert (state.weights.tolist(), state.bars, state.failed_optima) == ([0.3, -0.2], 0, 5)
    state = rebalance(state, row, DAYS[2], spec)
    assert (state.weights.tolist(), state.bars, state.failed_optima) == ([0.3, -0.2], 1, 5)
    flat = PortfolioRow(("A", "B"), np.ones(2), np.zeros(2), np.ones(2), closes)
    state = rebalance(state, flat, DAYS[3], spec)
    assert (state.weights.tolist(), state.failed_optima) == ([0.0, 0.0], 5)
