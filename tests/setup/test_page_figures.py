"""The census of figures on pages that stand in no document of the run."""

from __future__ import annotations

import json
from pathlib import Path
from runpy import run_path

import pandas as pd

PAGE_FIGURES = run_path(str(Path(__file__).parents[2] / "scripts" / "page_figures.py"))


def census(folder: Path, page: str) -> dict:
    sentence = {"sentence": "a lead of 1.2345 a year", "p_value": 0.04321}
    (folder / "metrics.json").write_text(json.dumps(sentence))
    pd.DataFrame({"price": [1234.5]}).to_parquet(folder / "trades.parquet")
    (folder / "tearsheet.html").write_text(page)
    return PAGE_FIGURES["figures_without_document"](folder)["tearsheet.html"]


def test_a_number_of_a_document_of_a_sentence_or_of_a_table_is_found(tmp_path: Path) -> None:
    found = census(tmp_path, "<td>4.321 %</td><td>-1.2345</td><td>1,234.50</td>")
    assert (found["figures"], found["in_a_table_alone"], found["in_no_document"]) == (3, 1, [])


def test_a_figure_of_no_document_is_named(tmp_path: Path) -> None:
    found = census(tmp_path, "<td>4.321 %</td><td>98.765</td>")
    assert found["in_no_document"] == ["98.765"]


def test_charts_and_short_numbers_are_no_figures(tmp_path: Path) -> None:
    found = census(tmp_path, "<svg><text>98.765</text></svg><p>9.8 of 12345</p>")
    assert found["figures"] == 0
