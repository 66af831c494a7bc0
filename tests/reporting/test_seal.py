"""The seal in the head of every page: what was looked for, and what it does not show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from tests.reporting.page import Page

if TYPE_CHECKING:
    from engine.runs.run import Run

CERTIFICATE = {
    "result": "passed",
    "sentence": "no look-ahead found at 2 cuts (features, fills)",
    "cuts": [
        {"bar": "2019-01-01T00:00:00+00:00", "kind": "window start", "window": 0},
        {"bar": "2019-02-03T04:00:00+00:00", "kind": "quiet bar", "window": 1},
    ],
    "compared": {"fills": {"columns": 1}, "features": {"columns": 2}, "labels": {"columns": 3}},
    "not_compared": ["How <the bars> came to be."],
}


def certified(run: Run) -> Run:
    return replace(run, certificate=CERTIFICATE)


def test_the_seal_stands_on_each_page_before_the_verdict(run: Run) -> None:
    for page in (render_tearsheet(certified(run)), render_significance(certified(run))):
        text = Page(page).text
        place = text.index("No look-ahead found at 2\N{NO-BREAK SPACE}cuts")
        assert place < text.index(run.significance["verdict"]["sentence"][:40])


def test_it_opens_to_the_cuts_the_stages_in_their_order_and_the_limits(run: Run) -> None:
    text = Page(render_tearsheet(certified(run))).text
    assert "2019-01-01 window start" in text
    assert "2019-02-03 04:00 quiet bar" in text
    assert "features, labels and fills" in text
    assert "How <the bars> came to be." in text


def test_a_run_from_before_there_were_certificates_says_so(run: Run) -> None:
    page = Page(render_tearsheet(replace(run, certificate=None)))
    assert "No leak certificate" in page.text
    (seal,) = [has for tag, has in page.elements if tag == "details" and has.get("id")]
    assert seal["class"] == "seal absent"
