from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from engine.reporting.significance import render_significance

if TYPE_CHECKING:
    from engine.runs.run import Run


def with_significance(run: Run, changes: dict[str, Any]) -> Run:
    return dataclasses.replace(run, significance=run.significance | changes)


def test_each_test_has_question_answer_figures_and_source(run: Run) -> None:
    html = render_significance(run)
    assert "Its Sharpe ratio is" in html
    assert "It contains zero" in html
    assert "Better than none of 5\N{NO-BREAK SPACE}benchmarks" in html
    assert html.count("Source: Politis &amp; Romano 1994") == 2
    # Five books have a Sharpe ratio, four benchmarks a difference.
    assert html.count('class="whisker"') == 5 + 4


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.1, 0.9, "entirely above zero"), (-0.9, -0.1, "entirely below zero"),
     (None, None, "No interval")],
)  # fmt: skip
def test_the_answer_follows_from_the_interval(
    run: Run, low: float | None, high: float | None, text: str
) -> None:
    figures = run.significance["sharpe"]["strategy"] | {"low": low, "high": high}
    html = render_significance(with_significance(run, {"sharpe": {"strategy": figures}}))
    assert text in html


def test_p_value_after_holm_decides_which_benchmarks_are_outperformed(run: Run) -> None:
    win = {"estimate": 0.4, "low": 0.1, "high": 0.7, "p_value": 0.001, "p_value_holm": 0.003}
    near = win | {"p_value_holm": 0.06}
    loss = win | {"estimate": -0.4}
    differences = {"buy_and_hold": win, "ridge": near, "ma_crossover": loss}
    html = render_significance(with_significance(run, {"differences": differences}))
    assert "Better than Buy and hold: 1 of 3\N{NO-BREAK SPACE}benchmarks" in html
    assert "Worse than MA crossover." in html


def test_a_run_without_benchmarks_has_no_differences_section(run: Run) -> None:
    html = render_significance(with_significance(run, {"differences": {}}))
    assert '<section id="differences">' not in html
