"""The text of a replication and its JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.replication.livieris2021 import render_replication
from engine.replication.livieris2021.scores import SCORES
from engine.replication.plain_text import align_columns, format_figure, wrap_note
from tests.replication.papers import compared

if TYPE_CHECKING:
    from engine.replication.livieris2021 import Livieris2021Result

SECTIONS = (
    "Descriptive statistics of the closes",
    "Movements",
    "Augmented Dickey-Fuller test",
    "Forecasts of BTC, 153 testing days",
    "Forecasts of ETH, 153 testing days",
    "Forecasts of XRP, 153 testing days",
    "Against naive forecasts",
    "Friedman's aligned ranks and Finner's step-down p-values against the best",
)


@pytest.fixture(scope="module")
def result(paper) -> Livieris2021Result:
    return compared(paper, runs=2)


def test_columns_are_aligned() -> None:
    assert align_columns([["", "a "], ["name", "12.5="], ["x"]]) == "        a\nname 12.5=\nx"


def test_a_heading_row_does_not_widen_a_column() -> None:
    assert align_columns([["a long heading"], ["x", "1"]]) == "a long heading\nx 1"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(19497.4, 2, "19497.40"), (-0.351, 2, "-0.35"), (-0.001, 2, "0.00"), (None, 2, "-")],
)
def test_figures_are_plain_ascii(value, digits, text) -> None:
    assert format_figure(value, digits) == text


def test_a_note_is_indented_and_fits_the_width() -> None:
    lines = wrap_note("word " * 40).splitlines()
    assert all(line.startswith("  ") for line in lines[1:])
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("scaling", ["train", "refit-on-test"])
def test_no_line_is_wider_than_a_terminal(paper, runs, scaling) -> None:
    some = compared(paper, runs=runs)
    spec = some.protocol.model_copy(update={"scaling": scaling})
    text = render_replication(replace(some, protocol=spec))
    assert max(map(len, text.splitlines())) <= 80
    assert text.isascii()


def test_every_table_is_rendered(result) -> None:
    lines = render_replication(result).splitlines()
    assert [line for line in lines if line in SECTIONS] == list(SECTIONS)
    for rule in ("Persistence", "  + drift", "Always up"):
        assert sum(line.startswith(rule + "  ") for line in lines) == 3


def test_figures_are_marked_as_equal_or_different(result) -> None:
    (up, *_) = [
        line
        for line in render_replication(result).splitlines()
        if line.startswith("BTC  training")
    ]
    assert "!" in up
    row = result.movements[0]
    same = replace(result, movements=[replace(row, paper=row.ours)])
    (up, *_) = [
        line for line in render_replication(same).splitlines() if line.startswith("BTC  training")
    ]
    assert (up.count("="), up.count("!")) == (4, 0)


def test_the_level_forecast_trap_is_named(result) -> None:
    assert "The level-forecast trap: R2 on prices is" in render_replication(result)


def test_a_leak_is_named_before_any_figure(result) -> None:
    spec = result.protocol.model_copy(update={"scaling": "refit-on-test"})
    leaking = replace(result, protocol=spec)
    head = render_replication(leaking).partition("Descriptive")[0]
    assert "LEAKS: --scaling refit-on-test" in head
    assert leaking.as_json()["leaks"] is True
    assert "LEAKS" not in render_replication(result)
    assert result.as_json()["leaks"] is False


def test_the_json_has_every_figure_at_full_precision(result) -> None:
    document = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert {name: len(document[name]) for name in ("descriptive", "movements", "adf")} == {
        "descriptive": 9,
        "movements": 9,
        "adf": 6,
    }
    assert (len(document["forecasts"]), len(document["naive"])) == (18, 9)
    for row in document["forecasts"]:
        for part in ("paper", "mean", "sd", "runs", "near", "near_mean"):
            assert set(row[part]) == set(SCORES)
        assert all(len(values) == 2 for values in row["runs"].values())
    for table in document["ranks"]:
        assert set(table["ours"]) == {"Model1", "Model2", "MICDL"}
    assert {table["table"] for table in document["ranks"]} >= set(range(1, 7))
    first = result.forecasts[0]
    assert document["forecasts"][0]["mean"]["mae"] == first.mean["mae"]
    assert document["level_trap"]["rows"] == 18
    assert document["protocol"]["training"]["batch_size"] == 8
