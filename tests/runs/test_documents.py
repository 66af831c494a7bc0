"""The documents of a run folder: frozen, closed, versioned, and the same bytes again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import UsageError
from engine.evaluation.analysis import analyse_run, open_run, with_analysis
from engine.runs import Run
from engine.runs.documents import (
    SCHEMA_VERSION,
    Analysis,
    Certificate,
    Manifest,
    Metrics,
    Significance,
)
from engine.runs.folder import ANALYSIS_TABLES
from tests.runs.documents import make_manifest, make_metrics_document, make_significance_document
from tests.runs.old_folder import OLD_RUN, write_old_run

if TYPE_CHECKING:
    from pathlib import Path

MODELS = {
    "manifest": Manifest,
    "metrics": Metrics,
    "significance": Significance,
    "certificate": Certificate,
}


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    return write_old_run(tmp_path / "old")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(write_old_run(tmp_path_factory.mktemp("runs") / "old"))


@pytest.mark.parametrize("name", MODELS)
def test_a_document_keeps_every_key_and_value_of_its_file(name: str) -> None:
    text = (OLD_RUN / f"{name}.json").read_text(encoding="utf-8")
    document = MODELS[name].from_json(text, "here")
    expected = json.loads(text) | {"schema_version": SCHEMA_VERSION}
    assert document.as_dict() == expected
    assert document.to_json() == json.dumps(expected, indent=2, sort_keys=True) + "\n"
    assert MODELS[name].from_json(document.to_json(), "here") == document


def test_a_document_is_read_by_key_as_its_file_is() -> None:
    metrics = make_metrics_document(books={"strategy": {"sharpe": 0.5, "trades": 3}})
    assert metrics["books"]["strategy"]["sharpe"] == metrics.books["strategy"].sharpe == 0.5
    assert metrics["books"] == {"strategy": {"sharpe": 0.5, "trades": 3}}
    assert list(metrics) == ["schema_version", "span", "books", "forecasts"]
    assert dict(metrics)["span"]["bars"] == 260
    assert metrics.get("family", "none") == "none"
    book = metrics.books["strategy"]
    assert ("calmar" in book, book.calmar) == (False, None)
    with pytest.raises(KeyError):
        book["calmar"]


def test_a_key_with_another_attribute_is_still_the_key() -> None:
    manifest = make_manifest(left_out=["a"], family="f" * 8)
    assert (manifest["left_out"], manifest["family"]) == (["a"], "f" * 8)
    assert (manifest.excluded_fits, manifest.sweep_id) == (("a",), "f" * 8)
    assert "excluded_fits" not in manifest


def test_a_section_of_another_version_is_missing_and_one_without_figures_is_none() -> None:
    significance = make_significance_document(trials=None)
    assert (significance.trials, "trials" in significance) == (None, True)
    assert (significance.timing, "timing" in significance) == (None, False)


def test_a_document_cannot_be_changed_and_a_changed_copy_is_validated() -> None:
    manifest = make_manifest()
    with pytest.raises(ValidationError, match="frozen"):
        manifest.command = "other"
    assert (manifest | {"command": "other"}).command == "other"
    assert manifest.command == ""
    with pytest.raises(ValidationError, match="Extra inputs"):
        manifest | {"comand": "other"}
    with pytest.raises(TypeError):
        manifest["command"] = "other"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_figure_is_nan_or_infinite(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        make_metrics_document(books={"strategy": {"sharpe": value}})


def test_a_folder_of_the_old_shape_opens_and_its_analysis_is_computed(old_run: Path) -> None:
    bare = Run.open(old_run)
    assert bare.analysis_files is None
    with pytest.raises(UsageError, match="no analysis") as caught:
        _ = bare.analysis
    assert "open_run" in caught.value.fix
    run = open_run(old_run)
    assert run.analysis == analyse_run(bare).document
    assert with_analysis(run) is run


def test_a_written_run_is_read_back_with_its_analysis(run: Run, tmp_path: Path) -> None:
    run.write(tmp_path)
    again = Run.open(tmp_path)
    for name in ("manifest", "metrics", "significance", "certificate", "analysis"):
        assert getattr(again, name) == getattr(run, name)
        assert json.loads((tmp_path / f"{name}.json").read_text())["schema_version"] == 1
    for name in ANALYSIS_TABLES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(run, name))


def test_a_run_without_certificate_or_equity_of_its_fills_has_an_analysis(old_run: Path) -> None:
    (old_run / "certificate.json").unlink()
    trades = pd.read_parquet(old_run / "trades.parquet")
    trades.drop(columns="equity").to_parquet(old_run / "trades.parquet")
    run = open_run(old_run)
    assert run.certificate is None
    assert run.analysis.round_trips is None
    assert run.round_trips.empty
    assert run.analysis.rolling.turnover_per_year is None


@pytest.mark.parametrize("name", MODELS)
def test_a_newer_folder_is_refused_in_one_plain_line(old_run: Path, name: str) -> None:
    path = old_run / f"{name}.json"
    path.write_text(json.dumps({"schema_version": 2, "anything": "else"}), encoding="utf-8")
    with pytest.raises(UsageError, match="written by a newer version of the engine") as caught:
        Run.open(old_run)
    assert caught.value.exit_code == 2
    assert caught.value.found == "schema_version 2"
    assert "upgrade" in caught.value.fix


def test_the_command_line_refuses_a_newer_folder_with_exit_code_2(old_run: Path) -> None:
    text = json.dumps({"schema_version": 99})
    (old_run / "manifest.json").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["report", str(old_run)])
    assert result.exit_code == 2
    assert "newer version of the engine" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_key_is_an_error_with_its_path(old_run: Path) -> None:
    path = old_run / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics["books"]["strategy"]["sharp"] = 1.0
    path.write_text(json.dumps(metrics), encoding="utf-8")
    with pytest.raises(UsageError, match="damaged") as caught:
        Run.open(old_run)
    assert (
        caught.value.found == "metrics.json: books.strategy.sharp: Extra inputs are not permitted"
    )


def test_every_benchmark_has_the_settings_of_its_book(run: Run) -> None:
    kinds = ["ma_crossover"] * 5
    books = ["strategy", "ma_crossover", *(f"ma_crossover_{number}" for number in range(2, 6))]
    opponents = [{"kind": kind, "fast": fast} for fast, kind in enumerate(kinds)]
    many = replace(
        run,
        manifest=run.manifest | {"strategy": {"opponents": opponents}},
        returns=pd.DataFrame(0.0, run.returns.index, books),
    )
    assert {book: each.parameters["fast"] for book, each in many.benchmarks.items()} == dict(
        zip(books[1:], range(5), strict=True)
    )
    fewer = replace(many, returns=many.returns.iloc[:, :3])
    assert fewer.benchmarks == {}


def test_the_analysis_is_a_document_as_the_others_are(run: Run) -> None:
    again = Analysis.from_json(run.analysis.to_json(), "here")
    assert again == run.analysis
    assert analyse_run(run).document.to_json() == run.analysis.to_json()
