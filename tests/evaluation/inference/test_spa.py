from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.inference.bootstrap import infer_sharpe_ratios
from engine.evaluation.inference.spa import run_superiority_tests, spa_p_values


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def books(seed: int, bars: int = 500, **means: float) -> pd.DataFrame:
    """A market and books that are in it two thirds of the time, with so much more a bar."""
    generator = rng(seed)
    market = 0.01 * generator.standard_normal(bars)
    returns_by_book = {"market": market}
    for name, mean in means.items():
        inside = generator.random(bars) < 2 / 3
        returns_by_book[name] = market * inside + 0.003 * generator.standard_normal(bars) + mean
    return pd.DataFrame(returns_by_book)


def test_the_one_better_book_is_selected_among_many() -> None:
    result = run_superiority_tests(books(1, a=0.0, good=0.003, b=0.0), "market", 999, 0.95, rng())
    assert result["spa"]["consistent"] < 0.01
    assert result["stepm"] == ["good"]
    assert result["p_values"]["good"] == pytest.approx(0.001)
    assert min(result["p_values"]["a"], result["p_values"]["b"]) > 0.05


def test_the_book_with_the_highest_statistic_comes_first() -> None:
    result = run_superiority_tests(books(2, good=0.002, better=0.004), "market", 999, 0.95, rng())
    assert result["stepm"] == ["better", "good"]


def test_books_below_the_benchmark_have_a_p_value_of_one() -> None:
    result = run_superiority_tests(books(3, a=-0.003, b=-0.002), "market", 999, 0.95, rng())
    assert result["spa"] == {"lower": 1.0, "consistent": 1.0, "upper": 1.0}
    assert result["stepm"] == []


def test_leverage_is_not_superiority() -> None:
    returns = books(4, a=0.0) + 0.002
    returns["levered"] = 5 * returns["market"]
    result = run_superiority_tests(returns, "market", 999, 0.95, rng())
    assert result["p_values"]["levered"] == 1.0
    without = run_superiority_tests(returns.drop(columns="levered"), "market", 999, 0.95, rng())
    assert result["spa"] == without["spa"]


def test_a_single_book_is_tested_like_a_difference_but_one_sided() -> None:
    returns = books(5, a=0.0006)
    pair = [returns["a"].to_numpy(), returns["market"].to_numpy()]
    spec = EvaluationSpec(resamples=4_000)
    two_sided = infer_sharpe_ratios({"a": pair}, 1.0, spec, rng())["a"]
    result = run_superiority_tests(returns, "market", 4_000, 0.95, rng())
    assert result["block_length_bars"] == two_sided.block_length_bars
    assert result["p_values"]["a"] == pytest.approx(two_sided.p_value / 2, abs=0.03)
    assert result["spa"]["upper"] == result["p_values"]["a"]


def test_the_same_seed_gives_the_same_figures() -> None:
    returns = books(6, a=0.0005, b=0.0)
    one, same, other = (
        run_superiority_tests(returns, "market", 999, 0.9, rng(seed)) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_bad_books_add_to_the_upper_p_value_alone() -> None:
    drawn = rng(7).standard_normal((5_000, 9))
    observed = np.array([2.0] + [-9.0] * 8)
    result = spa_p_values(observed, drawn, 500)
    alone = spa_p_values(observed[:1], drawn[:, :1], 500)
    assert result["lower"] == result["consistent"] == alone["upper"]
    assert result["upper"] > 5 * alone["upper"]


def test_the_three_p_values_are_in_order() -> None:
    for seed in range(30):
        drawn = rng(seed).standard_normal((300, 5))
        result = spa_p_values(2 * rng(seed + 100).standard_normal(5), drawn, 500)
        assert result["lower"] <= result["consistent"] <= result["upper"]


def test_a_book_that_cannot_be_tested_is_left_out() -> None:
    returns = books(8, a=0.003)
    returns["never"] = 0.0
    result = run_superiority_tests(returns, "market", 999, 0.95, rng())
    assert result["p_values"]["never"] is None
    assert result["stepm"] == ["a"]


@pytest.mark.parametrize(
    "returns",
    [
        books(9, bars=29, a=0.1),
        books(9)[["market"]],
        books(9, a=0.0).assign(market=0.0),
        books(9).assign(same=lambda frame: frame["market"] / 2),
    ],
)
def test_no_test_without_bars_or_without_a_difference(returns: pd.DataFrame) -> None:
    assert run_superiority_tests(returns, "market", 999, 0.95, rng()) is None


@pytest.mark.slow
def test_equal_books_are_selected_at_most_at_the_nominal_rate() -> None:
    named = 0
    for seed in range(200):
        generator = rng(seed)
        market = 0.01 * generator.standard_normal(300)
        noise = 0.01 * generator.standard_t(5, (300, 5))
        returns = pd.DataFrame(market[:, None] + noise, columns=list("abcde"))
        returns.insert(0, "market", market + 0.01 * generator.standard_t(5, 300))
        named += bool(run_superiority_tests(returns, "market", 300, 0.9, rng(seed))["stepm"])
    # Nominally 20 of 200; three standard errors are 13.
    assert 7 <= named <= 33
