"""Risk of the path, stability, start dates and schedules, on the pages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from tests.reporting.page import Page
from tests.reporting.truth_paths import path_risk, path_truth, stability

if TYPE_CHECKING:
    from engine.runs.run import Run

SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"


def with_sections(run: Run, **changes: Any) -> Run:
    significance = run.significance | {**path_truth(), **changes}
    return dataclasses.replace(run, significance=significance)


def significance_page(run: Run, **changes: Any) -> str:
    return Page(render_significance(with_sections(run, **changes))).text


def tearsheet(run: Run, **changes: Any) -> str:
    return Page(render_tearsheet(with_sections(run, **changes))).text


@pytest.mark.parametrize(
    "text",
    [
        f"Over 1{SPACE}year the strategy ends with a loss in 33.4{SPACE}% of the resampled paths "
        f"and behind buy and hold in 61.8{SPACE}%.",
        f"Its max drawdown is deeper than 17.5{SPACE}% in half of them, and deeper than "
        f"34.5{SPACE}% in one of twenty.",
        f"The run's own max drawdown was 41.2{SPACE}%: 28.7{SPACE}% of the paths of its length",
        "A loss larger than any the run has seen is not in them.",
        f"Left out, as longer than twice the run: 5{SPACE}years.",
        f"drawn together 2,000 times, in blocks of 31.5{SPACE}bars on average",
        f"No: the Sharpe ratio changed, most likely at 2009-03-09 (p{SPACE}={SPACE}0.025).",
        f"From 2{SPACE}start dates the Sharpe ratio ranges from {MINUS}0.12 to 0.57; 75.0{SPACE}% "
        f"are above 0, 25.0{SPACE}% above buy and hold. Without one window it ranges from 0.18",
        f"Over 4 schedules of windows the Sharpe ratio ranges from {MINUS}0.05 to 0.31",
        "The run itself ranks 1 of 4.",
        f"Over 3{SPACE}paths of cross-validation the Sharpe ratio ranges from {MINUS}0.21 to "
        f"0.33, with a median of 0.06; 33.3{SPACE}% are below 0, 66.7{SPACE}% below buy and hold.",
        "On the bars of the run their median is 0.18; the run itself, walk-forward, has 0.57.",
        "its models are trained on bars after their test bars too, which no trader could do.",
        "Neither the grade nor a p-value, the hurdle of the trials or the leakage test has any",
        f"the model was fitted on 2,105 to 2,188 bars of the others; 1{SPACE}bar on each side",
        f"Inputs reach up to 45{SPACE}bars back, further than this embargo",
        f"1{SPACE}fit failed and were left out",
    ],
)
def test_answers_state_the_figures(run: Run, text: str) -> None:
    assert text in significance_page(run)


@pytest.mark.parametrize(
    ("depths", "text"),
    [
        (
            {"p50": 0.0, "p5": -12.5},
            "At least half of them have no drawdown; the max drawdown is deeper than "
            f"12.5{SPACE}% in one of twenty.",
        ),
        ({"p50": 0.0, "p5": 0.0}, "At least 95 % of them have no drawdown."),
    ],
)
def test_a_drawdown_of_zero_is_told_as_none(run: Run, depths: dict, text: str) -> None:
    risk = path_risk()
    for horizon in risk["horizons"]:
        horizon["books"]["strategy"]["max_drawdown_pct"].update(depths)
    assert text in significance_page(run, path_risk=risk)


def test_the_tearsheet_tells_the_trader_what_to_expect(run: Run) -> None:
    text = tearsheet(run)
    assert f"ends with a loss in 33.4{SPACE}% of the resampled paths" in text
    assert f"Probability of a loss 33.4{SPACE}% 33.4{SPACE}%" in text
    assert f"Probability of less than buy and hold 61.8{SPACE}%" in text
    assert f"Probability of a max drawdown beyond 30 % 12.1{SPACE}%" in text
    assert f"Longest time under water, median 130{SPACE}bars" in text


@pytest.mark.slow
def test_a_run_without_horizons_has_no_section_on_the_tearsheet(run: Run) -> None:
    short = path_risk() | {"horizons": [], "left_out_years": [1.0, 3.0, 5.0]}
    assert "Risk of the path" not in tearsheet(run, path_risk=short)
    assert "Risk of the path" not in tearsheet(run, path_risk=None)
    page = significance_page(run, path_risk=short)
    assert "What may happen on the way? The run's own max drawdown was 41.2" in page
    assert f"twice the run: 1{SPACE}year, 3{SPACE}years, 5" in page


def test_cross_validated_paths_are_drawn_beside_holding_and_the_run(run: Run) -> None:
    plot = Page(render_significance(with_sections(run))).text
    assert "Sharpe ratios of the cross-validated paths" in plot
    assert plot.count(f"1999-02-03 to 2018-12-28, 4,841{SPACE}bars.") == 2
    assert f"This run, walk-forward {MISSING} {MISSING} {MISSING} +0.57" in plot
    assert f"Lowest {MINUS}0.21 {MINUS}30.5{SPACE}% {MINUS}55.0{SPACE}% {MINUS}0.05" in plot


def test_the_books_of_the_chart_are_the_strategy_and_holding(run: Run) -> None:
    page = render_significance(with_sections(run))
    assert 'data-layer="strategy"' in page
    assert 'data-layer="buy_and_hold-realised"' in page
    assert 'data-layer="ridge"' not in page


def test_without_a_significant_change_there_is_no_evidence_of_one(run: Run) -> None:
    whole = stability()
    whole["breaks"]["sharpe"] |= {"p_value_holm": 0.0501}
    assert "There is no evidence of a change." in significance_page(run, stability=whole)


def test_decay_is_named_with_what_decays(run: Run) -> None:
    falling = stability()
    falling["breaks"] = {}
    falling["decay"]["return"] |= {"p_value_holm": 0.01, "slope_p_value_holm": 0.02}
    text = significance_page(run, stability=falling)
    assert "No: the mean return is lower after the first window" in text
    assert "; the mean return falls over time" in text


def test_undefined_figures_are_dashes(run: Run) -> None:
    empty = dict.fromkeys(("statistic", "p_value", "p_value_holm", "bar", "before", "after"))
    figures = {"bars": 200, "breaks": {"sharpe": empty}, "decay": {"return": {}}}
    offsets = path_truth()["offset_paths"] | {"spread": {}, "rank": None, "holding_sharpe": None}
    cross_validated = path_truth()["combinatorial_paths"]
    cross_validated |= {key: {} for key in ("sharpe", "total_return_pct", "max_drawdown_pct")}
    cross_validated |= {"holding": {}, "common": {"bars": 0}, "below_holding_share": None}
    for path in cross_validated["paths"]:
        path |= {"sharpe": None, "common_sharpe": None}
    text = significance_page(
        run,
        stability=figures,
        offset_paths=offsets,
        combinatorial_paths=cross_validated,
        window_subsets={"starts": [], "without": []},
    )
    assert "None" not in text
    assert "The run itself ranks" not in text


def test_without_further_schedules_there_is_no_section_about_them(run: Run) -> None:
    sections = path_truth()
    del sections["offset_paths"], sections["combinatorial_paths"]
    without = dataclasses.replace(run, significance=run.significance | sections)
    text = Page(render_significance(without)).text
    assert "Does the result depend on where the windows begin?" not in text
    assert "Does the result depend on which bars the model was trained on?" not in text
    assert "`paths: {offsets: 8}`" in text
