"""A decision row by row: equal to that of all rows at once, from any row on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import TrainingError, UsageError
from engine.portfolio import (
    BookVolatilityTarget,
    EqualAllocation,
    HierarchicalRiskParityAllocation,
    InverseVolatilityAllocation,
    LongShortAllocation,
    MaximumSharpeAllocation,
    MeanVarianceAllocation,
    MinimumShortfallAllocation,
    MinimumVarianceAllocation,
    PortfolioSpec,
    ProportionalAllocation,
    RiskParityAllocation,
    TopAllocation,
    TradingCalendar,
)
from engine.signals.config import (
    SIZING_KINDS,
    CostMultipleThreshold,
    FixedSizing,
    FixedThreshold,
    IntervalSizing,
    ProportionalSizing,
    QuantileThreshold,
    Signal,
    VolatilityTargetSizing,
)
from engine.signals.decision import DecisionState, TargetPosition, decide
from engine.signals.decision_levels import DecisionSpec, compute_decision_levels
from engine.signals.prediction_row import PredictionRow, iterate_prediction_rows
from engine.signals.target_weights import compute_decisions, compute_target_weights
from tests.hypothesis_examples import examples
from tests.signals.random_forecasts import random_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.portfolio.optimised import OptimisedAllocation
    from engine.signals.sizing import SizingSpec
    from engine.signals.target_weights import Decisions
    from engine.signals.thresholds import ThresholdSpec

SIGNALS: dict[type[ThresholdSpec], st.SearchStrategy[ThresholdSpec]] = {
    FixedThreshold: st.sampled_from(
        [
            FixedThreshold(),
            FixedThreshold(side="long_short"),
            FixedThreshold(enter_bps=80, exit_bps=-120, side="long_short"),
        ]
    ),
    CostMultipleThreshold: st.sampled_from(
        [CostMultipleThreshold(enter=2, exit=-1), CostMultipleThreshold(side="long_short")]
    ),
    QuantileThreshold: st.sampled_from(
        [QuantileThreshold(enter=0.9), QuantileThreshold(side="long_short")]
    ),
}
SIZINGS: dict[type[SizingSpec], st.SearchStrategy[SizingSpec]] = {
    FixedSizing: st.builds(FixedSizing, weight=st.floats(0.01, 3)),
    ProportionalSizing: st.builds(ProportionalSizing, full_bps=st.floats(1, 500)),
    IntervalSizing: st.sampled_from([IntervalSizing(), IntervalSizing(low=0.2, high=0.8)]),
    VolatilityTargetSizing: st.builds(
        VolatilityTargetSizing,
        target_pct_per_year=st.floats(1, 200),
        window=st.integers(5, 15),
    ),
}
SEEDS = st.integers(0, 2**32 - 1)
WITHOUT_FIT = st.frozensets(st.tuples(st.integers(0, 3), st.sampled_from("ABC")), max_size=4)


def test_every_kind_of_signal_and_sizing_is_decided_here() -> None:
    assert set(SIGNALS) == set(get_args(get_args(Signal)[0]))
    assert set(SIZINGS) == set(SIZING_KINDS.built_in)


def spec_of(
    signal: ThresholdSpec | None = None,
    sizing: SizingSpec | None = None,
    max_weight: float = 1.0,
) -> DecisionSpec:
    return DecisionSpec(
        signal or FixedThreshold(enter_bps=100),
        sizing or FixedSizing(),
        max_weight=max_weight,
        round_trip_cost=0.003,
        periods_per_year=365,
    )


def fold(
    rows: Iterable[PredictionRow], spec: DecisionSpec, state: DecisionState | None = None
) -> tuple[DecisionState, pd.DataFrame]:
    state, targets, stamps = state or DecisionState(), [], []
    for row in rows:
        state, weights = decide(state, row, spec)
        targets.append(weights)
        stamps.append(row.timestamp)
    return state, pd.DataFrame(targets, index=pd.DatetimeIndex(stamps))


@pytest.mark.parametrize("sizing_kind", SIZINGS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("signal_kind", SIGNALS, ids=lambda kind: kind.__name__)
@examples(4)
@given(data=st.data(), seed=SEEDS, without_fit=WITHOUT_FIT, resumed_at=st.integers(0, 60))
def test_row_by_row_is_all_rows_at_once_to_the_last_bit_from_any_row_on(
    signal_kind: type[ThresholdSpec],
    sizing_kind: type[SizingSpec],
    data: st.DataObject,
    seed: int,
    without_fit: frozenset[tuple[int, str]],
    resumed_at: int,
) -> None:
    signal, sizing = data.draw(SIGNALS[signal_kind]), data.draw(SIZINGS[sizing_kind])
    spec = spec_of(signal, sizing, max_weight=data.draw(st.floats(0.05, 2)))
    forecasts, close = random_case(seed, without_fit)
    rows = list(iterate_prediction_rows(forecasts, close, spec))
    state, first = fold(rows[:resumed_at], spec)
    stored = DecisionState.model_validate_json(state.model_dump_json())
    assert stored == state
    rest = fold(rows[resumed_at:], spec, stored)[1]
    at_once = compute_target_weights(
        forecasts,
        close,
        signal,
        sizing,
        round_trip_cost=spec.round_trip_cost,
        periods_per_year=spec.periods_per_year,
        max_weight=spec.max_weight,
    )
    by_row = np.concatenate([each.to_numpy().reshape(-1, 3) for each in (first, rest)])
    assert by_row.tobytes() == at_once.to_numpy().tobytes()


PORTFOLIOS = st.builds(
    PortfolioSpec,
    allocation=st.sampled_from(
        [
            EqualAllocation(),
            ProportionalAllocation(),
            InverseVolatilityAllocation(window=12),
            TopAllocation(count=2),
            LongShortAllocation(quantile=0.4),
        ]
    ),
    rebalance=st.sampled_from([1, 3, "weekly", "monthly", "week_end", "month_end"]),
    volatility_target=st.sampled_from([None, BookVolatilityTarget(annual=0.3, window=12)]),
    max_symbol_weight=st.sampled_from([None, 0.3]),
    max_net_weight=st.sampled_from([None, 0.1]),
    min_change=st.sampled_from([0.0, 0.03]),
    max_turnover=st.sampled_from([None, 0.2]),
)


@examples(25)
@given(portfolio=PORTFOLIOS, seed=SEEDS, without_fit=WITHOUT_FIT, resumed_at=st.integers(0, 60))
def test_a_portfolio_row_by_row_is_that_of_all_rows_at_once_from_any_row_on(
    portfolio: PortfolioSpec,
    seed: int,
    without_fit: frozenset[tuple[int, str]],
    resumed_at: int,
) -> None:
    require_equal_rows(portfolio, seed, without_fit, resumed_at)


OPTIMA = [
    RiskParityAllocation(window=12),
    HierarchicalRiskParityAllocation(window=12),
    MinimumVarianceAllocation(window=12, max_share=0.6),
    MinimumShortfallAllocation(window=12, level=0.8),
    MeanVarianceAllocation(window=12, side="long_short", cost_bps=5),
    MaximumSharpeAllocation(window=12, max_share=0.4),
]


@pytest.mark.slow
@pytest.mark.parametrize("allocation", OPTIMA, ids=lambda each: each.kind)
def test_an_optimum_row_by_row_is_that_of_all_rows_at_once(
    allocation: OptimisedAllocation,
) -> None:
    portfolio = PortfolioSpec(allocation=allocation, rebalance=12, max_turnover=0.5)
    found = require_equal_rows(portfolio, 5, frozenset({(1, "A")}), 31)
    assert found.state_at(-1).failed_optima == found.portfolio[-1].failed_optima
    assert found.weights.to_numpy().any()


def require_equal_rows(
    portfolio: PortfolioSpec, seed: int, without_fit: frozenset[tuple[int, str]], resumed_at: int
) -> Decisions:
    signal = FixedThreshold(side="long_short")
    spec = replace(
        spec_of(signal, FixedSizing(weight=0.7)),
        portfolio=portfolio,
        calendar=TradingCalendar("24/7", "1d"),
    )
    forecasts, close = random_case(seed, without_fit)
    rows = list(iterate_prediction_rows(forecasts, close, spec))
    state, first = fold(rows[:resumed_at], spec)
    stored = DecisionState.model_validate_json(state.model_dump_json())
    assert stored == state
    rest = fold(rows[resumed_at:], spec, stored)[1]
    decided = compute_decisions(forecasts, close, spec)
    by_row = np.concatenate([each.to_numpy().reshape(-1, 3) for each in (first, rest)])
    assert by_row.tobytes() == decided.weights.to_numpy().tobytes()
    if resumed_at:
        assert decided.state_at(resumed_at - 1) == state
    return decided


def row_of(
    predicted: dict[str, float], day: int = 1, spec: DecisionSpec | None = None
) -> PredictionRow:
    train = {symbol: np.array([-0.01, 0.0, 0.01]) for symbol in predicted}
    levels = compute_decision_levels(spec or spec_of(), 0, train, {})
    return PredictionRow(pd.Timestamp(2020, 1, day, tz="UTC"), predicted, levels)


def test_a_state_says_what_is_held_and_since_which_decision() -> None:
    state, targets = decide(DecisionState(), row_of({"A": 0.02, "B": 0.0}), spec_of())
    assert targets == {"A": 0.5, "B": 0.0}
    assert state == DecisionState(
        decided_on=pd.Timestamp("2020-01-01", tz="UTC"),
        positions={"A": TargetPosition(position=1, size=1), "B": TargetPosition()},
    )


class HalfOfFixedSizing(FixedSizing):
    """Other sizes than its base, for all rows at once."""

    def compute_sizes(self, *inputs: Any) -> pd.DataFrame:
        return super().compute_sizes(*inputs) / 2


def test_a_class_with_sizes_of_its_own_is_not_sized_by_its_base() -> None:
    _, weights = fold([row_of({"A": 0.02})], spec_of(sizing=HalfOfFixedSizing(weight=0.8)))
    assert weights["A"].tolist() == [0.4]


def test_a_size_is_kept_until_the_exit() -> None:
    spec = spec_of(sizing=ProportionalSizing(full_bps=400))
    state, _ = decide(DecisionState(), row_of({"A": 0.02}, day=1), spec)
    state, kept = decide(state, row_of({"A": 0.04}, day=2), spec)
    state, left = decide(state, row_of({"A": -0.01}, day=3), spec)
    assert (kept, left) == ({"A": 0.5}, {"A": 0.0})
    assert state.positions == {"A": TargetPosition()}


def test_a_decision_leaves_the_state_before_it_as_it_was() -> None:
    state = DecisionState(positions={"A": TargetPosition(position=1, size=0.25)})
    before = state.model_dump_json()
    decide(state, row_of({"A": -0.02}), spec_of())
    assert state.model_dump_json() == before


def test_a_bar_is_decided_once_and_after_those_before_it() -> None:
    state, _ = decide(DecisionState(), row_of({"A": 0.0}, day=5), spec_of())
    for day in (5, 4):
        with pytest.raises(UsageError, match="in their order"):
            decide(state, row_of({"A": 0.0}, day=day), spec_of())


def test_a_symbol_that_is_held_is_decided_at_every_bar() -> None:
    state, _ = decide(DecisionState(), row_of({"A": 0.02, "B": 0.0}, day=1), spec_of())
    decide(state, row_of({"A": 0.02}, day=2), spec_of())
    with pytest.raises(UsageError, match="held is not decided"):
        decide(state, row_of({"B": 0.02}, day=2), spec_of())


RANKED = replace(
    spec_of(FixedThreshold()), portfolio=PortfolioSpec(allocation=TopAllocation(count=1))
)


def test_a_symbol_that_is_held_by_rank_is_decided_at_every_bar() -> None:
    # The signal would hold none of them: only the weight says that B is held.
    state, targets = decide(DecisionState(), row_of({"A": -0.03, "B": -0.02}, day=1), RANKED)
    assert targets == {"A": 0.0, "B": 1.0}
    decide(state, row_of({"B": -0.02}, day=2), RANKED)
    with pytest.raises(UsageError, match="held is not decided"):
        decide(state, row_of({"A": -0.02}, day=2), RANKED)


def test_a_state_of_equal_parts_is_rebalanced_at_its_next_close_from_what_it_holds() -> None:
    state, _ = decide(DecisionState(), row_of({"A": 0.02, "B": 0.0}, day=1), spec_of())
    monthly = PortfolioSpec(allocation=TopAllocation(count=1), rebalance="monthly")
    spec = replace(spec_of(), portfolio=monthly)
    following = row_of({"A": 0.02, "B": 0.03}, day=2)
    assert decide(state, following, spec)[1] == {"A": 0.0, "B": 1.0}
    slow = replace(spec, portfolio=monthly.model_copy(update={"max_turnover": 0.3}))
    assert decide(state, following, slow)[1] == pytest.approx({"A": 0.4, "B": 0.2})


def test_a_row_has_no_close_after_its_bar() -> None:
    days = pd.date_range("2020-01-01", periods=3, tz="UTC")
    close = pd.DataFrame({"A": [1.0, 2.0, 3.0]}, index=days)
    row = replace(row_of({"A": 0.0}, day=3), close=close)
    for other in (2, 4):
        with pytest.raises(UsageError, match="end at another bar"):
            replace(row, timestamp=pd.Timestamp(2020, 1, other, tz="UTC"))


def test_too_few_closes_are_an_error_also_where_nothing_is_entered() -> None:
    spec = spec_of(sizing=VolatilityTargetSizing(window=20))
    with pytest.raises(UsageError, match="too few closes") as caught:
        decide(DecisionState(), row_of({"A": 0.0}), spec)
    assert "the last 21 closes" in caught.value.expected


def test_a_forecast_that_is_not_finite_is_an_error_where_there_is_a_fit() -> None:
    with pytest.raises(TrainingError, match="not finite"):
        row_of({"A": float("nan")})
    with pytest.raises(TrainingError, match="not finite"):
        replace(row_of({"A": 0.0}), quantiles={0.1: {"A": float("inf")}})


def test_a_forecast_without_thresholds_is_an_error() -> None:
    with pytest.raises(UsageError, match="no thresholds"):
        replace(row_of({"A": 0.0}), predicted={"A": 0.0, "B": 0.1})


@pytest.mark.parametrize(
    ("predicted", "expected"), [(0.0, 0.0), (-0.05, 0.0), (-0.009, 0.0), (0.02, 1.0)]
)
def test_a_short_that_the_signal_does_not_allow_is_closed(
    predicted: float, expected: float
) -> None:
    state = DecisionState(positions={"A": TargetPosition(position=-1, size=1)})
    after, targets = decide(state, row_of({"A": predicted}), spec_of())
    assert targets == {"A": expected}
    assert after.positions["A"] == TargetPosition(position=expected, size=expected)


def test_a_short_that_the_signal_allows_is_kept() -> None:
    state = DecisionState(positions={"A": TargetPosition(position=-1, size=1)})
    spec = spec_of(FixedThreshold(enter_bps=100, side="long_short"))
    assert decide(state, row_of({"A": -0.005}), spec)[1] == {"A": -1.0}
