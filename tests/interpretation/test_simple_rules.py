"""A model that is a simple rule is named as one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.interpretation.simple_rules import RuleInputs, compare_with_rules, describe_bars
from tests.hypothesis_examples import examples

BARS = 600
STAMPS = pd.date_range("2020-01-01", periods=BARS, tz="UTC")
TRAIN, TEST = STAMPS[150:400], STAMPS[400:]


def closes(seed: int = 1) -> pd.Series:
    moves = np.random.default_rng(seed).normal(0, 0.01, BARS)
    return pd.Series(100 * np.exp(np.cumsum(moves)), index=STAMPS)


def compare(forecasts: pd.Series, prices: pd.Series):
    return compare_with_rules(
        [
            RuleInputs(
                train=describe_bars(prices, TRAIN),
                test=describe_bars(prices, TEST),
                train_forecasts=forecasts[TRAIN].to_numpy(),
                test_forecasts=forecasts[TEST].to_numpy(),
            )
        ]
    )


@pytest.mark.parametrize(
    ("rule", "forecast"),
    [
        ("last return", lambda p: -0.1 * p.pct_change()),
        ("return over 20 bars", lambda p: 0.02 * np.sign(p.pct_change(20))),
        ("distance from the mean of 10 bars", lambda p: p / p.rolling(10).mean() - 1),
        ("volatility", lambda p: p.pct_change().rolling(20).std()),
        ("calendar", lambda p: pd.Series(0.001 * (p.index.day_of_week == 0), index=p.index)),
    ],
)
def test_a_model_that_is_a_rule_is_called_that_rule(rule: str, forecast) -> None:
    prices = closes()

    closest = compare(forecast(prices), prices)[0]

    assert closest.rule == rule
    assert closest.r2 > 0.9


def test_no_rule_repeats_noise() -> None:
    noise = pd.Series(np.random.default_rng(2).standard_normal(BARS), index=STAMPS)

    assert compare(noise, closes())[0].r2 < 0.05


@examples(12)
@given(st.integers(160, BARS - 2))
def test_what_a_rule_reads_at_a_bar_knows_no_later_bar(row: int) -> None:
    prices = closes()
    later = prices.copy()
    later.iloc[row + 1 :] *= 2

    before, after = (describe_bars(each, STAMPS[: row + 1]) for each in (prices, later))

    for rule, values in before.items():
        np.testing.assert_array_equal(values, after[rule])
