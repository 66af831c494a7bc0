"""Costs and sensitivity on the tearsheet: the surface, and the cut along the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.reporting.significance import render_significance
from engine.reporting.tearsheet.sensitivity import sensitivity_section
from tests.reporting.page import Page, changed, section_of
from tests.reporting.truth import surface, truth

if TYPE_CHECKING:
    from engine.runs.run import Run


def page_of(run: Run, **changes: Any) -> Page:
    found = surface() | changes
    return Page(section_of(sensitivity_section(changed(run, significance={"fragility": found}))))


def curve(page: Page) -> tuple[list[float], list[float]]:
    (layer,) = (x for x in page.charts["cost-curve"]["layers"] if x["key"] == "points")
    return layer["x"], layer["y"]


def test_the_curve_is_the_surface_at_the_runs_own_delay_and_threshold(run: Run) -> None:
    costs, ratios = curve(page_of(run))
    cut = [sheet[0][2] for sheet in surface()["sharpe"]]
    expected = dict(zip(surface()["cost_bps"], cut, strict=True))
    assert dict(zip(costs, ratios, strict=True)) == pytest.approx(expected)
    assert costs == sorted(costs)


def test_a_break_even_cost_far_above_the_tried_costs_is_noted_below_the_plot(run: Run) -> None:
    page = page_of(run, break_even_cost_bps=567.0)
    assert 567.0 not in curve(page)[0]
    assert "The total return is zero at 567.0\N{NO-BREAK SPACE}bps, beyond this axis." in page.text


def test_the_sentences_are_computed_from_the_figures(run: Run) -> None:
    text = page_of(run).text.replace("\N{NO-BREAK SPACE}", " ")
    assert surface()["sentence"] in text
    assert "Its total return is zero at a cost of 41.0 bps a fill; 15.0 bps were charged." in text
    # The made-up surface falls by 0.021 a basis point.
    assert "Each further 10.0 bps a fill reduces it by about 0.21." in text
    paid = run.metrics["books"]["strategy"]["cost_paid_pct"]
    assert f"Over the span costs came to {paid:.1f} % of the equity." in text


def test_the_heatmaps_equal_those_of_the_significance_page(run: Run) -> None:
    whole = changed(run, significance=truth(run.significance))
    theirs = render_significance(whole)
    mine = section_of(sensitivity_section(whole))
    assert mine.count('<table class="heat">') == theirs.count('<table class="heat">') == 4
    start = theirs.index('<table class="heat">')
    first = theirs[start : theirs.index("</table>", start)]
    assert first in mine


def test_a_cell_without_a_ratio_breaks_the_curve(run: Run) -> None:
    sharpe = surface()["sharpe"]
    sharpe[4][0][2] = None
    costs, _ = curve(page_of(run, sharpe=sharpe))
    assert 60.0 not in costs


def test_without_a_surface_there_is_no_section(run: Run) -> None:
    assert sensitivity_section(changed(run, significance={"fragility": None})) is None
    assert sensitivity_section(run) is None
