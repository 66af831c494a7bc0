"""Data quality on the tearsheet, and the short notice at the head of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from engine.reporting.tearsheet.data_quality import data_quality_section
from tests.reporting.page import Page, changed, section_of

if TYPE_CHECKING:
    from engine.runs.run import Run

GAP = {
    "rule": "gaps",
    "symbol": "SP500",
    "severity": "warn",
    "first": "2001-09-11",
    "last": "2001-09-14",
    "count": 4,
    "repair": None,
    "sentence": "4 bars are missing",
}
SPLIT = GAP | {
    "rule": "missed_splits",
    "symbol": "NASDAQ",
    "count": 812,
    "repair": "divide_by_ratio",
    "sentence": "812 bars before a split were divided by 2",
}
TOLD = ["gaps: SP500 4 bars are missing", "NASDAQ: 7 of 4914 bars are left out"]
RULES = ["gaps", "missed_splits", "wicks"]


def with_quality(run: Run, notices: list[str] = TOLD, **found: Any) -> Run:
    dataset = run.manifest["dataset"]
    empty = {"rules": RULES, "findings": [], "repairs": [], "notices": notices}
    symbols = {name: facts | {"left_out": 7} for name, facts in dataset["symbols"].items()}
    changes = {"quality": empty | found, "notices": ["stale cache", *notices]}
    return changed(
        run, manifest={"dataset": dataset | changes | {"offline": False, "symbols": symbols}}
    )


def text_of(run: Run) -> str:
    return Page(section_of(data_quality_section(run))).text.replace("\N{NO-BREAK SPACE}", " ")


def test_findings_and_repairs_are_rows_with_what_was_done(run: Run) -> None:
    text = text_of(with_quality(run, findings=[GAP], repairs=[SPLIT]))
    assert "3 rules checked on 2 symbols: 1 finding, 1 repair." in text
    gap = "gaps SP500 warn 4 2001-09-11 to 2001-09-14 4 bars are missing none available"
    assert gap in text
    assert "missed_splits NASDAQ repaired 812" in text
    assert "812 bars before a split were divided by 2 divide_by_ratio" in text


def test_a_finding_names_the_repair_that_would_resolve_it(run: Run) -> None:
    text = text_of(with_quality(run, findings=[SPLIT]))
    assert "divide_by_ratio is available" in text


def test_without_findings_the_number_of_rules_is_stated(run: Run) -> None:
    text = text_of(with_quality(run))
    assert "3 rules checked on 2 symbols: no findings." in text
    assert "missed_splits" not in text


def test_used_excluded_and_missing_bars_are_counted_per_symbol(run: Run) -> None:
    page = Page(section_of(data_quality_section(with_quality(run, findings=[GAP]))))
    rows = len(run.bars) // 2
    text = page.text.replace("\N{NO-BREAK SPACE}", " ")
    # Business days: the longest pause is a weekend.
    assert f"SP500 {rows:,} 7 4 3.0 days" in text
    assert f"NASDAQ {rows:,} 7 0 3.0 days" in text


def test_notices_about_bars_are_one_line_in_the_header_and_a_list_in_the_section(
    run: Run,
) -> None:
    noted = with_quality(run)
    pages = {
        "#quality": render_tearsheet(noted),
        "tearsheet.html#quality": render_significance(noted),
    }
    for link, page in pages.items():
        read = Page(page)
        text = read.text.replace("\N{NO-BREAK SPACE}", " ")
        assert "stale cache. 2 notices about the bars themselves: data quality" in text
        assert any(found.get("href") == link for _, found in read.elements)
    assert all(sentence in text_of(noted) for sentence in TOLD)
    assert TOLD[0] not in render_significance(noted)


def test_an_older_folder_keeps_its_notices_at_the_head_and_shows_its_bars(run: Run) -> None:
    assert "quality" not in run.manifest["dataset"]
    text = text_of(run)
    assert "checked on" not in text
    assert f"SP500 {len(run.bars) // 2:,} \N{EN DASH} \N{EN DASH}" in text
    assert run.manifest["dataset"]["notices"][0] in Page(render_significance(run)).text


def test_without_notices_none_is_shown(run: Run) -> None:
    quiet = with_quality(run, notices=[])
    dataset = quiet.manifest["dataset"] | {"notices": []}
    assert "about the bars themselves" not in render_tearsheet(
        changed(quiet, manifest={"dataset": dataset})
    )
