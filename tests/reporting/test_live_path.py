"""The replay of a run's newest bars on its pages: equal, or a fault of the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.reporting.header import make_run_header
from engine.reporting.live_path import describe_live_fault, describe_live_path
from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from engine.runs.documents.live_path import FirstDifference, LivePath, ValueCounts
from tests.reporting.page import Page

if TYPE_CHECKING:
    from engine.runs.run import Run

EQUAL = LivePath(bars=25, compared=ValueCounts(forecasts=25), differing=ValueCounts())
DIFFERS = EQUAL | {
    "differing": ValueCounts(weights=3, equity=9),
    "first_difference": FirstDifference(
        bar="2024-05-10T00:00:00+00:00",
        kind="weights",
        symbol="<b>BTC",
        name="target weight",
        live=0.1,
        backtest=None,
        compared_with="backtest",
    ),
}


def replayed(run: Run, live_path: LivePath | None) -> Run:
    return replace(run, metrics=run.metrics | {"live_path": live_path})


def test_equal_bars_are_counted_among_the_terms_of_the_tearsheet(run: Run) -> None:
    header = make_run_header(replayed(run, EQUAL))
    assert not header.engine_fault
    assert dict(header.terms)["Live path"] == describe_live_path(EQUAL)
    page = Page(render_tearsheet(replayed(run, EQUAL)))
    assert "Equal on 25\N{NO-BREAK SPACE}bars: the newest ones" in page.text
    assert "engine-fault" not in {has.get("id") for _, has in page.elements}


def test_a_difference_is_a_fault_of_the_engine_on_every_page(run: Run) -> None:
    fault = describe_live_fault(DIFFERS)
    assert fault.startswith("A fault of the engine")
    assert "12 values differ" in fault
    for html in (
        render_tearsheet(replayed(run, DIFFERS)),
        render_significance(replayed(run, DIFFERS)),
    ):
        page = Page(html)
        assert "engine-fault" in {has.get("id") for _, has in page.elements}
        assert "2024-05-10: target weight of <b>BTC (weights) is 0.1 there and missing here" in (
            page.text
        )


def test_a_run_that_replayed_nothing_says_nothing(run: Run) -> None:
    header = make_run_header(replayed(run, None))
    assert not header.engine_fault
    assert "Live path" not in dict(header.terms)
