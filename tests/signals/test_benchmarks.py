from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.signals.benchmarks import compute_benchmark_weights
from engine.signals.config import BuyAndHold, MeanReversion, MovingAverageCrossover

if TYPE_CHECKING:
    from engine.signals.benchmarks import BenchmarkRule


def frame(**closes: list[float]) -> pd.DataFrame:
    n = len(next(iter(closes.values())))
    days = pd.date_range("2020-01-01", periods=n, tz="UTC", name="timestamp")
    return pd.DataFrame(closes, index=days, dtype="float64")


def weights(rule: BenchmarkRule, close: pd.DataFrame, first: int = 0) -> list[float]:
    return compute_benchmark_weights(rule, close, close.index[first:], 1.0).iloc[:, 0].tolist()


def test_buy_and_hold_is_long_at_every_bar() -> None:
    assert weights(BuyAndHold(), frame(A=[5, 1, 9])) == [1, 1, 1]


def test_crossover_is_long_while_the_fast_mean_is_above_the_slow_one() -> None:
    close = frame(A=[1, 1, 1, 4, 4, 4, 1, 1])
    rule = MovingAverageCrossover(fast=1, slow=3)
    assert weights(rule, close) == [0, 0, 0, 1, 1, 0, 0, 0]


def test_crossover_is_short_while_the_fast_mean_is_below_if_shorts_are_allowed() -> None:
    close = frame(A=[1, 1, 1, 4, 4, 4, 1, 1])
    rule = MovingAverageCrossover(fast=1, slow=3, side="long_short")
    assert weights(rule, close) == [0, 0, 0, 1, 1, 0, -1, -1]


def test_a_crossover_longer_than_the_history_is_flat() -> None:
    assert weights(MovingAverageCrossover(fast=1, slow=9), frame(A=[1, 2, 3])) == [0, 0, 0]


def zscores(close: pd.DataFrame, window: int) -> list[float]:
    values = close["A"].tolist()
    last = [np.array(values[end - window : end]) for end in range(window, len(values) + 1)]
    return [float((part[-1] - part.mean()) / part.std()) for part in last]


def test_mean_reversion_buys_below_the_mean_and_exits_at_it() -> None:
    close = frame(A=[10, 11, 10, 7, 8, 10, 10, 13])
    np.testing.assert_allclose(
        zscores(close, 4), [-1.667, -0.632, 0.962, 0.962, 1.540], atol=0.001
    )
    rule = MeanReversion(window=4, enter_z=1.5, exit_z=0.0)
    assert weights(rule, close) == [0, 0, 0, 1, 1, 0, 0, 0]


def test_mean_reversion_shorts_symmetrically_if_allowed() -> None:
    close = frame(A=[10, 11, 10, 7, 8, 10, 10, 13])
    rule = MeanReversion(window=4, enter_z=1.5, exit_z=0.0, side="long_short")
    assert weights(rule, close) == [0, 0, 0, 1, 1, 0, 0, -1]


def test_mean_reversion_exits_earlier_with_a_higher_exit() -> None:
    close = frame(A=[10, 11, 10, 7, 8, 10, 10, 13])
    rule = MeanReversion(window=4, enter_z=1.5, exit_z=0.7)
    assert weights(rule, close) == [0, 0, 0, 1, 0, 0, 0, 0]


RULES = pytest.mark.parametrize(
    "rule",
    [BuyAndHold(), MovingAverageCrossover(fast=3, slow=30), MeanReversion(side="long_short")],
    ids=lambda rule: rule.kind,
)


@pytest.fixture
def close() -> pd.DataFrame:
    """120 closes of two symbols."""
    moves = np.random.default_rng(4).normal(0, 0.03, (120, 2))
    return frame(**dict(zip("AB", np.exp(moves.cumsum(axis=0)).T.tolist(), strict=True)))


@RULES
def test_a_rule_is_past_its_warmup_at_the_first_out_of_sample_bar(
    rule: BenchmarkRule, close: pd.DataFrame
) -> None:
    rows = close.index[60:]
    whole = compute_benchmark_weights(rule, close, close.index, 1.0)
    pd.testing.assert_frame_equal(
        compute_benchmark_weights(rule, close, rows, 1.0), whole.loc[rows]
    )
    assert whole.loc[rows].ne(0).any(axis=None)


@RULES
def test_a_weight_is_the_last_of_the_closes_up_to_its_bar(
    rule: BenchmarkRule, close: pd.DataFrame
) -> None:
    whole = compute_benchmark_weights(rule, close, close.index, 1.0)
    for bar in close.index[::13]:
        alone = compute_benchmark_weights(rule, close.loc[:bar], pd.DatetimeIndex([bar]), 1.0)
        assert alone.loc[bar].tolist() == whole.loc[bar].tolist()


@RULES
def test_symbols_share_the_maximum_weight_equally(
    rule: BenchmarkRule, close: pd.DataFrame
) -> None:
    alone = compute_benchmark_weights(rule, close[["B"]], close.index, 0.9)
    both = compute_benchmark_weights(rule, close, close.index, 0.9)
    pd.testing.assert_frame_equal(both[["B"]] * 2, alone)
    assert both.abs().sum(axis=1).max() == pytest.approx(0.9)
    assert both.notna().all(axis=None)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [(MovingAverageCrossover, {"fast": 9, "slow": 9}), (MeanReversion, {"exit_z": 1.5})],
)
def test_contradicting_rule_parameters_are_errors(
    rule: type[BenchmarkRule], wrong: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="must be below"):
        rule(**wrong)
