"""Optima, calendars and benchmarks of one book, from the bars to the metrics and the live path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.pipeline.portfolio_figures import find_failed_rebalancing
from engine.reporting.order_waits import describe_waits
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.harness import certify_strategy, make_strategy, run_stages
from tests.live.replays import backtest, replay_live

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market
    from engine.strategy import Strategy

pytestmark = pytest.mark.slow

BENCHMARKS = [
    {"kind": "equal_weight"},
    {"kind": "momentum", "window": 30, "skip": 5},
    {"kind": "short_term_reversal", "side": "long_short"},
]


def bars() -> Market:
    return generate_market(np.random.default_rng(4), 330, BarPattern(weekdays=True))


def strategy(portfolio: dict[str, Any], **sections: Any) -> Strategy:
    return make_strategy(
        data={"dataset": "generated", "targets": "all"},
        windows={"train": 120, "validation": 20, "test": 60},
        portfolio=portfolio,
        signal={"kind": "threshold", "enter_bps": 10, "exit_bps": 0, "side": "long_short"},
        **{"benchmarks": []} | sections,
    )


def test_failed_optima_are_counted_and_told() -> None:
    """With one or two positions no shares of at most 0.4 add up to the whole."""
    allocation = {"kind": "risk_parity", "window": 30, "max_share": 0.4}
    spec = strategy(
        {"allocation": allocation, "rebalance": 10},
        benchmarks=[{"kind": "min_variance", "window": 30}],
    )
    stages = run_stages(spec, bars())
    result, metrics = stages.result, stages.metrics
    own, rule = (metrics.books[name] for name in ("strategy", "min_variance"))
    assert own.failed_optima is not None
    assert own.rebalancings == rule.rebalancings
    assert 0 < own.failed_optima < own.rebalancings
    assert rule.failed_optima == 0
    assert metrics.books["buy_and_hold"].rebalancings is None
    (sentence,) = (each for each in describe_waits(metrics) if "optimum" in each)
    told = f"The strategy had no optimum at {own.failed_optima} of {own.rebalancings}"
    assert sentence.replace("\N{NO-BREAK SPACE}", " ").startswith(told)
    failed = find_failed_rebalancing(spec, result.prepared, result.predictions["strategy"])
    turns = result.weights["strategy"].diff().any(axis=1)
    newest = range(0, len(turns), 10)[-1]
    assert failed == (None if turns.iloc[newest] else turns.index[newest])


def test_the_leakage_test_passes_an_optimum_and_benchmarks_at_month_ends() -> None:
    spec = strategy(
        {
            "allocation": {"kind": "min_variance", "window": 30},
            "rebalance": "month_end",
            "volatility_target": {"annual": 0.1, "window": 20},
            "groups": {"one": ["S1", "S2"]},
            "max_group_weight": 0.5,
        },
        benchmarks=BENCHMARKS,
    )
    assert certify_strategy(spec, bars())["cuts"]


@pytest.mark.parametrize(
    "portfolio",
    [
        {
            "allocation": {"kind": "hierarchical_risk_parity", "window": 30},
            "rebalance": "week_end",
        },
        {"volatility_target": {"annual": 0.1, "window": 20}, "rebalance": "month_end"},
    ],
    ids=["week_end", "month_end"],
)
def test_bars_that_come_one_by_one_are_rebalanced_at_the_same_closes(
    portfolio: dict[str, Any], tmp_path: Path
) -> None:
    result = backtest(strategy(portfolio), bars(), tmp_path)
    assert result.weights["strategy"].diff().any(axis=1).sum() > 5
    replay = replay_live(result, tmp_path, bars=70)
    assert replay.first_difference is None
    assert replay.differing.total == 0
    assert replay.compared.fills > 0
