"""Provenance on the tearsheet: the command that makes a run again, and the keys of its fits."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from engine.reporting.header import make_run_header
from engine.reporting.tearsheet.provenance import (
    make_rerun_command,
    provenance_section,
    split_engine_version,
)
from tests.reporting.page import Page, changed, section_of
from tests.runs.documents import MANIFEST, make_manifest

if TYPE_CHECKING:
    from engine.runs.run import Run

GIVEN = "backtest run strategies/micdl.yaml"


def shown(run: Run) -> str:
    return section_of(provenance_section(run), heading=make_run_header(run))


@pytest.mark.parametrize(
    ("manifest", "command"),
    [
        ({"command": GIVEN}, GIVEN),
        ({"command": GIVEN, "dataset": {"vintage": "v7"}}, f"{GIVEN} --vintage v7"),
        (
            {"command": f"{GIVEN} --vintage 2024-01-01", "dataset": {"vintage": "v7"}},
            f"{GIVEN} --vintage 2024-01-01",
        ),
        # No source could be reached: the next time one might be.
        ({"command": GIVEN, "dataset": {"offline": True}}, f"{GIVEN} --offline"),
        ({"command": f"{GIVEN} --offline", "dataset": {"offline": True}}, f"{GIVEN} --offline"),
        # From Python there was no command, and maybe no file.
        ({"command": "", "strategy_file": "mine.yaml"}, "backtest run mine.yaml"),
        ({"strategy_file": None}, "backtest run strategy.yaml"),
    ],
)
def test_the_command_that_repeats_a_run_is_shown(manifest: dict[str, Any], command: str) -> None:
    dataset = MANIFEST["dataset"] | manifest.pop("dataset", {})
    assert make_rerun_command(make_manifest(**manifest, dataset=dataset)) == command


def test_the_engine_is_named_by_its_version_and_its_source() -> None:
    manifest = {"versions": {"backtest-engine": "0.1.0+bfc366b33be7"}}
    assert split_engine_version(make_manifest(**manifest)) == ("0.1.0", "bfc366b33be7")
    assert split_engine_version(make_manifest()) == ("", "")


def test_every_stored_fit_is_listed_with_its_key(run: Run) -> None:
    windows = copy.deepcopy(run.manifest["windows"])
    for window in windows:
        for fit in window["fits"]:
            fit |= {"symbol": "SP500", "key": f"{window['index']:02d}{fit['seed']:02d}" * 16}
    windows[3]["fits"][1] = {"symbol": "SP500", "seed": 1, "failed": "the loss is not a number"}
    page = Page(shown(changed(run, manifest={"windows": windows})))
    titles = [found["title"] for tag, found in page.elements if tag == "code" and "title" in found]
    keys = [title for title in titles if len(title) == 64 and title.isdigit()]
    assert len(keys) == 2 * len(windows) - 1
    assert "020102010201" in page.text
    assert "0301" * 16 not in keys


def test_a_run_whose_fits_are_not_stored_lists_none(run: Run) -> None:
    assert "fits show" not in Page(shown(run)).text


def test_symbols_with_vintages_show_them(run: Run) -> None:
    dataset = copy.deepcopy(run.manifest["dataset"])
    facts = {"vintage": "9c1f0b7e", "pulled": "2024-03-10T12:00:00+00:00"}
    dataset["symbols"]["SP500"] |= facts
    dataset["vintage"] = facts["vintage"]
    page = Page(shown(changed(run, manifest={"dataset": dataset})))
    assert "SP500 bundled" in page.text
    assert "9c1f0b7e 2024-03-10 12:00" in page.text
    assert "--vintage 9c1f0b7e" in page.text
    bare = Page(shown(run)).text
    assert "Fetched" not in bare
    assert "these bars are not kept in the cache" in bare


def test_inputs_that_every_symbol_has_are_named_once(run: Run) -> None:
    pairs = [f"S{each}:{name}" for each in range(40) for name in ("log_return_1", "rsi_14")]
    assert "log_return_1, rsi_14 of each of 40 symbols" in shown(
        changed(run, manifest={"inputs": pairs})
    )
    assert ", ".join(pairs[:-1]) in shown(changed(run, manifest={"inputs": pairs[:-1]}))


def test_symbols_of_other_exchanges_are_named_with_their_calendar_and_currency(run: Run) -> None:
    exchanges = {
        "calendars": {"AAPL": "XNYS", "BTC": "24/7", "7203.T": "XTKS"},
        "currencies": {"7203.T": "JPY"},
    }
    dataset = run.manifest["dataset"] | {"calendar": "XNYS", "exchanges": exchanges}
    text = shown(changed(run, manifest={"dataset": dataset}))
    assert "calendar XNYS (BTC: 24/7; 7203.T: XTKS in JPY)" in text
