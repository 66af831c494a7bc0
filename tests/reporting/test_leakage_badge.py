"""The leakage badge in the header of every page: cutoffs, stages and limits of the test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from tests.reporting.page import Page
from tests.runs.documents import make_certificate

if TYPE_CHECKING:
    from engine.runs.run import Run

CERTIFICATE = make_certificate(
    sentence="no look-ahead detected at 2 cutoffs (features, fills)",
    cuts=[
        {"bar": "2019-01-01T00:00:00+00:00", "kind": "window start", "window": 0},
        {"bar": "2019-02-03T04:00:00+00:00", "kind": "quiet bar", "window": 1},
    ],
    compared={stage: {"columns": 1, "values": 9} for stage in ("fills", "features", "labels")},
    not_compared=["Where <the bars> are from."],
)


def certified(run: Run) -> Run:
    return replace(run, certificate=CERTIFICATE)


def test_each_page_shows_the_result_above_the_verdict(run: Run) -> None:
    for page in (render_tearsheet(certified(run)), render_significance(certified(run))):
        text = Page(page).text
        badge = text.index("No look-ahead detected at 2\N{NO-BREAK SPACE}cutoffs")
        assert badge < text.index(run.significance["verdict"]["sentence"][:40])


def test_the_details_have_cutoffs_stages_in_order_and_limits(run: Run) -> None:
    text = Page(render_tearsheet(certified(run))).text
    assert "2019-01-01 window start" in text
    assert "2019-02-03 04:00 quiet bar" in text
    assert "features, labels and fills" in text
    assert "Where <the bars> are from." in text


def test_a_run_without_a_certificate_says_so(run: Run) -> None:
    page = Page(render_tearsheet(replace(run, certificate=None)))
    assert "Not tested for look-ahead" in page.text
    (badge,) = [has for tag, has in page.elements if tag == "details" and has.get("id")]
    assert badge["class"] == "leakage absent"


def test_the_details_say_how_likely_a_leaking_feature_is_missed(run: Run) -> None:
    missed = [{"share_pct": 2.0, "probability": 0.0034}]
    features = {"cuts": 275, "bars": 4832, "missed": missed}
    probed = CERTIFICATE | {"features": features, "windows_rebuilt": 32, "ends": ["2019-01-04"]}
    text = Page(render_tearsheet(replace(run, certificate=probed))).text.replace("\xa0", " ")
    assert "Features were probed at 275 bars" in text
    assert "at 2 % 0.003" in text
    assert "32 windows" in text
    assert "1 history that ended early" in text
    assert "were probed" not in Page(render_tearsheet(certified(run))).text
