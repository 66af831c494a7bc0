"""docs/evaluation.md explains what a tearsheet and a comparison show, by the words on the page."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest

from engine.reporting.book_styles import get_book_styles
from engine.reporting.tearsheet import render_tearsheet
from engine.reporting.tearsheet.universe import universe_section
from tests.docs.blocks import ROOT
from tests.reporting.page import section_of
from tests.reporting.universe_run import universe_run

if TYPE_CHECKING:
    from engine.runs.run import Run

GUIDE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
WORDS = re.sub(r"\s+", " ", re.sub(r"[*`]", "", GUIDE)).lower()
SELF_EXPLAINING = {
    *("run", "command", "strategy file", "started", "inputs", "seeds", "machine", "time"),
    *("tables", "dataset", "versions", "all"),
}
"""Of the provenance, and of sums."""


def labels(page: str) -> set[str]:
    """Headings, names of figures and names of rows; numbers and dates are none."""
    parts = re.sub(r"<(script|style|svg)\b.*?</\1>|<small>.*?</small>", "", page, flags=re.S)
    found = re.findall(r'<(?:h2|h3|dt|th scope="row")(?: [^>]*)?>(.*?)</', parts, re.S)
    texts = {html.unescape(re.sub(r"<[^>]+>", "", each)).strip() for each in found}
    return {re.sub(r"\s+", " ", text) for text in texts if text and not re.search(r"\d", text)}


@pytest.fixture(scope="module")
def shown(run: Run) -> set[str]:
    names = {book.label for book in get_book_styles(run)} | set(run.bars["symbol"])
    named = labels(render_tearsheet(run))
    return {label for label in named if label not in names and "in " + label not in named}


def explained(label: str) -> bool:
    return label.lower() in WORDS or label.lower() in SELF_EXPLAINING


def test_every_heading_and_figure_of_a_tearsheet_is_explained(shown: set[str]) -> None:
    assert {"Tails", "Profit factor", "Sortino ratio", "Calibration", "Beta"} <= shown
    of_symbols = {label for label in shown if re.match("Positions in ", label)}
    assert sorted(label for label in shown - of_symbols if not explained(label)) == []


def test_every_figure_of_several_symbols_is_explained() -> None:
    groups = {"one": ["SYM000", "SYM001"], "other": ["SYM002"]}
    run = universe_run(8, 120, groups)
    shown = labels(section_of(universe_section(run)))
    assert {"Effective positions", "Exposures", "Market beta", "Symbols"} <= shown
    assert sorted(each for each in shown - set(groups) if not explained(each)) == []
