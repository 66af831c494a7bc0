"""What is expected of a strategy: one figure, one operator, one number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.trials.expectations import FIGURES, parse_expectation
from tests.hypothesis_examples import examples

BOOKS = {
    "strategy": {"sharpe": 0.8, "max_drawdown_pct": -12.0, "calmar": None},
    "buy_and_hold": {"sharpe": 0.5, "max_drawdown_pct": -30.0},
}


@pytest.mark.parametrize(
    ("text", "rule", "value", "met"),
    [
        ("sharpe > 0.5", "sharpe > 0.5", 0.8, True),
        ("sharpe>=0.80", "sharpe >= 0.8", 0.8, True),
        ("sharpe < 0.8", "sharpe < 0.8", 0.8, False),
        (" max_drawdown > -20 % ", "max_drawdown_pct > -20", -12.0, True),
        ("max_drawdown_pct <= -12", "max_drawdown_pct <= -12", -12.0, True),
        ("sharpe - buy_and_hold > 0.2", "sharpe - buy_and_hold > 0.2", 0.3, True),
        ("max_drawdown - buy_and_hold > 20", "max_drawdown_pct - buy_and_hold > 20", 18.0, False),
        ("calmar > 0", "calmar > 0", None, False),
        ("sortino > 0", "sortino > 0", None, False),
    ],
)
def test_a_rule_is_read_and_judged(text: str, rule: str, value: float | None, met: bool) -> None:
    expectation = parse_expectation(text, ["buy_and_hold"])
    assert expectation.rule == rule
    found = expectation.value(BOOKS)
    assert found == (None if value is None else pytest.approx(value))
    assert expectation.is_met(found) is met


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("sharpe", "FIGURE OP NUMBER"),
        ("sharpe = 0.5", "FIGURE OP NUMBER"),
        ("sharpe > high", "FIGURE OP NUMBER"),
        ("sharpe > 0.5; drop", "FIGURE OP NUMBER"),
        ("sharpe > nan", "FIGURE OP NUMBER"),
        ("luck > 1", "one of sharpe"),
        ("sharpe - ridge > 0", "a benchmark of the strategy"),
        ("max_drawdown < 20", "max_drawdown > -20"),
    ],
)
def test_what_is_no_rule_is_refused(text: str, word: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_expectation(text, ["buy_and_hold"])
    assert word in error.value.expected


@examples(50)
@given(
    st.sampled_from([name for name in FIGURES if name != "max_drawdown_pct"]),
    st.sampled_from([">", ">=", "<", "<="]),
    st.floats(-1e6, 1e6),
)
def test_a_rule_reads_back_as_itself(figure: str, operator: str, number: float) -> None:
    rule = parse_expectation(f"{figure} {operator} {number:.4f}").rule
    assert parse_expectation(rule).rule == rule
