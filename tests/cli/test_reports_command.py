"""`backtest report` and `backtest compare`: pages from run folders alone."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.cli.run_lookup import find_run_folder
from engine.core.errors import UsageError
from engine.runs.folder import PAGES
from tests.reporting.sweep_runs import IDS, make_run, write_run, write_three_runs

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from engine.runs.run import Run


@pytest.fixture(scope="module")
def written(module_folder: Path) -> Path:
    return write_three_runs(module_folder)


@pytest.fixture
def reports(written: Path, working_folder: Path) -> Path:
    return shutil.copytree(written, working_folder / "reports")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def idle(number: int) -> Run:
    """A strategy that held nothing: quantstats has nothing to draw, which is quick."""
    run = make_run(number)
    return dataclasses.replace(run, returns=run.returns.assign(strategy=0.0))


def test_report_renders_every_page_of_a_folder_that_was_moved(reports: Path) -> None:
    folder = write_run(idle(3), reports).rename(reports.parent / "moved here")

    result = invoke("report", folder)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [str(folder / f"{page}.html") for page in PAGES]
    for page in PAGES:
        assert IDS[3] in (folder / f"{page}.html").read_text(encoding="utf-8")


def test_report_renders_a_run_of_an_earlier_version(reports: Path) -> None:
    folder = write_run(idle(3), reports)
    (folder / "certificate.json").unlink()
    kept = {
        "manifest": ("run_id", "strategy_name", "strategy", "dataset", "target", "windows"),
        "significance": ("method", "sharpe", "differences", "verdict"),
    }
    for name, keys in kept.items():
        path = folder / f"{name}.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({key: document[key] for key in keys}), encoding="utf-8")

    assert invoke("report", folder).exit_code == 0

    assert "Not tested for look-ahead" in (folder / "tearsheet.html").read_text(encoding="utf-8")
    assert invoke("compare", IDS[3], IDS[1]).exit_code == 0


def test_a_run_of_a_newer_version_is_refused_with_its_version(reports: Path) -> None:
    path = reports / "ridge" / IDS[0] / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8")) | {"schema_version": 99}
    path.write_text(json.dumps(metrics), encoding="utf-8")

    for arguments in (("report", "1111"), ("compare", "1111", "2222")):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "written by a newer version of the engine" in result.stderr
        assert "found: schema_version 99" in result.stderr


def test_report_finds_a_run_by_the_first_digits_of_its_id(reports: Path) -> None:
    assert find_run_folder("1111", reports) == reports / "ridge" / IDS[0]
    assert find_run_folder(IDS[2], reports) == reports / "ridge" / IDS[2]
    assert invoke("report", "9999").exit_code == 2
    assert "no run has an id that begins with 9999" in invoke("report", "9999").stderr


def test_an_ambiguous_id_is_refused_with_both_folders(reports: Path) -> None:
    twin = reports / "other" / IDS[0]
    shutil.copytree(reports / "ridge" / IDS[0], twin)

    with pytest.raises(UsageError, match="more than one run") as refused:
        find_run_folder("1111", reports)

    assert "other" in refused.value.found
    assert "ridge" in refused.value.found


def test_report_refuses_a_folder_that_is_not_a_run(reports: Path) -> None:
    result = invoke("report", reports)

    assert result.exit_code == 2
    assert "this is not a run folder" in result.stderr


@pytest.mark.parametrize("arguments", [("--serve",), ("--serve", "--port", "0"), ("--port", "1")])
def test_serving_moved_to_a_command_of_its_own(arguments: tuple[str, ...]) -> None:
    result = invoke("report", *arguments)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "error: `backtest report` serves no pages any more; use `backtest serve`"
    ]


def test_compare_prints_every_run_the_verdict_and_the_page(reports: Path) -> None:
    result = invoke("compare", reports / "ridge" / IDS[0], "2222", IDS[2])

    assert result.exit_code == 0
    for label in ("enter_bps=0", "enter_bps=5", "enter_bps=10"):
        assert label in result.stdout
    assert "the best of these 3 runs" in " ".join(result.stdout.split())
    assert "Evidence: " in result.stdout
    assert "nan" not in result.stdout
    (page,) = reports.glob("comparisons/*/comparison.html")
    assert str(page.relative_to(reports.parent)) in result.stdout
    assert len(page.parent.name) == 12


@pytest.mark.usefixtures("reports")
def test_compare_prints_one_json_value_with_every_figure(tmp_path: Path) -> None:
    result = invoke("compare", "1111", "3333", "--json", "--out", tmp_path / "there")

    document = json.loads(result.stdout)
    assert document["reference"] == IDS[0]
    assert document["best"] == IDS[2]
    assert document["differing"] == {"signal.enter_bps": {IDS[0]: 0.0, IDS[2]: 10.0}}
    assert document["page"] == str(tmp_path / "there" / "comparison.html")
    assert (tmp_path / "there" / "comparison.html").is_file()
    assert {"low", "high", "p_value", "p_value_holm"} <= set(document["differences"][IDS[2]])
    assert document["verdict"]["sentence"]


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (("1111",), "at least two runs"),
        (("1111", "2222", IDS[0]), "one run is named twice"),
        (("1111", "reports"), "this is not a run folder"),
        (("1111", "7777"), "no run has an id that begins with 7777"),
        ((), "Missing argument"),
    ],
)
def test_compare_refuses_what_cannot_be_compared(
    reports: Path, runs: tuple[str, ...], message: str
) -> None:
    result = invoke("compare", *runs)

    assert result.exit_code == 2
    assert message in result.stderr
    assert not (reports / "comparisons").exists()


def test_a_folder_that_cannot_be_written_is_refused(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    result = invoke("compare", "1111", "2222", "--out", tmp_path / "file" / "there")

    assert result.exit_code == 2
    assert "the pages cannot be written" in result.stderr
    folder = write_run(idle(3), reports)
    (folder / "tearsheet.html").mkdir()
    assert "the pages cannot be written" in invoke("report", folder).stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [("metrics.json", "{"), ("returns.parquet", "PAR1"), ("trades.parquet", None)],
)
def test_a_damaged_run_is_refused_with_the_name_of_the_file(
    reports: Path, name: str, content: str | None
) -> None:
    path = reports / "ridge" / IDS[1] / name
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")

    for arguments in (("report", "2222"), ("compare", "1111", "2222")):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "this run folder is damaged" in result.stderr
        assert f"found: {name}: " in result.stderr


def test_compare_names_the_runs_without_common_bars(reports: Path) -> None:
    late = make_run(4)
    shifted = late.returns.set_axis(late.returns.index + late.returns.index.freq * 400)
    write_run(dataclasses.replace(late, returns=shifted.rename_axis("timestamp")), reports)

    result = invoke("compare", "1111", "2222", "5555")

    assert result.exit_code == 2
    assert "too few out-of-sample bars in common" in result.stderr
    assert IDS[4] in result.stderr
