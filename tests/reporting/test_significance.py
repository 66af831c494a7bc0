from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from engine.reporting.significance import render_significance

if TYPE_CHECKING:
    from engine.runs.run import Run


def judged(run: Run, changes: dict[str, Any]) -> Run:
    return dataclasses.replace(run, significance=run.significance | changes)


def test_every_test_has_question_answer_figure_and_source(run: Run) -> None:
    html = render_significance(run)
    assert "Did the strategy make money for the risk it took?" in html
    assert "Its Sharpe ratio is" in html
    assert "zero lies inside" in html
    assert "Did it beat each opponent on the same bars?" in html
    assert "Better than none of 5 opponents" in html
    assert html.count("Source: Politis &amp; Romano 1994") == 2
    # Five books have a Sharpe ratio, four opponents a difference.
    assert html.count('class="whisker"') == 5 + 4


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.9, "all of it above zero"), (-0.9, -0.1, "all of it below zero"),
     (None, None, "There is no interval")],
)  # fmt: skip
def test_the_answer_follows_from_the_interval(
    run: Run, low: float | None, high: float | None, said: str
) -> None:
    figures = run.significance["sharpe"]["strategy"] | {"low": low, "high": high}
    html = render_significance(judged(run, {"sharpe": {"strategy": figures}}))
    assert said in html


def test_only_holms_p_value_decides_who_was_beaten(run: Run) -> None:
    win = {"estimate": 0.4, "low": 0.1, "high": 0.7, "p_value": 0.001, "p_value_holm": 0.003}
    near = win | {"p_value_holm": 0.06}
    loss = win | {"estimate": -0.4}
    differences = {"buy_and_hold": win, "ridge": near, "ma_crossover": loss}
    html = render_significance(judged(run, {"differences": differences}))
    assert "Better than Buy and hold: 1 of 3 opponents" in html
    assert "Worse than MA crossover." in html


def test_a_run_without_opponents_has_no_comparison(run: Run) -> None:
    html = render_significance(judged(run, {"differences": {}}))
    assert "Did it beat each opponent" not in html
