"""`interpret` and `backtest interpret`: a run in, attributions of its forecasts out."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

import engine
from engine.cli.main import app
from engine.core.errors import UsageError
from engine.runs.folder import PAGES
from tests.verification.small_run import make_run

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(scope="module")
def run(module_folder: Path) -> engine.Run:
    return make_run(module_folder)


@pytest.fixture
def folder(run: engine.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKTEST_HOME", str(run.run_dir.parents[2] / "home"))
    return shutil.copytree(run.run_dir, tmp_path / "run")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_what_the_document_says_adds_up(run: engine.Run) -> None:
    found = engine.interpret(run)
    document = found.document

    assert [each.name for each in document.features] == ["log_return_1"]
    assert document.features[0].share_pct == pytest.approx(100)
    assert document.completeness.shapley_error < 1e-6
    assert document.bars == len(run.predictions)
    predicted = run.predictions["predicted"].to_numpy()
    assert document.forecast_deviation_bps == pytest.approx(1e4 * predicted.std())
    assert len(found.table) == document.bars
    assert found.table["timestamp"].tolist() == run.predictions["timestamp"].tolist()


def test_a_bar_is_explained_from_the_base_to_its_forecast(run: engine.Run) -> None:
    row = run.predictions.iloc[17]

    bar = engine.interpret(run, at=row["timestamp"]).document.bar

    assert bar is not None
    assert bar.forecast_bps == pytest.approx(1e4 * row["predicted"])
    total = bar.base_bps + sum(each.shapley_bps for each in bar.features)
    assert total == pytest.approx(bar.forecast_bps, abs=1e-3)
    assert bar.realised_bps == pytest.approx(1e4 * row["actual"])


def test_the_same_run_gives_the_same_document(run: engine.Run) -> None:
    one, two = (engine.interpret(run) for _ in range(2))

    assert one.document == two.document
    pd.testing.assert_frame_equal(one.table, two.table)


@pytest.mark.parametrize(
    ("options", "problem", "expected"),
    [
        ({"symbol": "ZZZ"}, "does not forecast this symbol", "AAA"),
        ({"at": "1999-01-01"}, "no forecast at this bar", "a bar that a window tests"),
    ],
)
def test_what_is_not_in_the_run_is_refused(
    run: engine.Run, options: dict[str, str], problem: str, expected: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        engine.interpret(run, **options)

    assert expected in str(caught.value.expected)


def test_the_command_writes_document_table_and_page_into_the_folder(folder: Path) -> None:
    result = invoke("interpret", folder, "--quiet")

    assert result.exit_code == 0, result.output
    assert "log_return_1" in result.stdout
    written = [folder / f"interpretation.{suffix}" for suffix in ("json", "html")]
    assert all(str(file) in result.stdout for file in written)
    assert json.loads(written[0].read_text())["run_id"] in written[1].read_text()
    for page in PAGES:
        assert 'href="interpretation.html"' in (folder / f"{page}.html").read_text()
    assert engine.open_run(folder).interpretation is not None
    assert engine.verify(folder).first_difference is None


def test_json_is_the_document_alone(folder: Path) -> None:
    result = invoke("interpret", folder, "--json", "--quiet")

    assert json.loads(result.stdout) == json.loads((folder / "interpretation.json").read_text())


def test_a_time_that_cannot_be_read_is_named(folder: Path) -> None:
    result = invoke("interpret", folder, "--at", "yesterdayish")

    assert result.exit_code == 2
    assert "--at" in result.stderr
