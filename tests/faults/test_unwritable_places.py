"""Where a command cannot write it ends before its work, with the four parts and exit code 2."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import engine
from engine.cli.main import app
from engine.runs.folder import estimate_folder_bytes
from tests.faults.runs import assert_same
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from typer.testing import Result

PARTS = ("expected:", "found:", "where:", "fix:")
GRID = ("--grid", "signal.enter=0.6,0.7")


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market"))


@pytest.fixture
def backtest(working_folder: Path, strategy: Path, monkeypatch: pytest.MonkeyPatch):
    """A command in a folder with a file, a folder and a dangling link; `S` is a strategy."""
    monkeypatch.setenv("BACKTEST_HOME", str(working_folder / "home"))
    (working_folder / "file").touch()
    (working_folder / "folder").mkdir()
    (working_folder / "dangling").symlink_to("nowhere")

    def invoke(*arguments: str, home: str = "home") -> Result:
        monkeypatch.setenv("BACKTEST_HOME", str(working_folder / home))
        named = [str(strategy) if each == "S" else each for each in arguments]
        return CliRunner().invoke(app, named)

    return invoke


def assert_refused(result: Result, *expected: str) -> None:
    assert result.exit_code == 2, result.output
    for part in (*PARTS, *expected):
        assert part in result.stderr
    assert "Traceback" not in result.stderr
    assert "fault of the engine" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("out", "grid"),
    [
        *((out, ()) for out in ("file", "file/below", "dangling", "/proc/self/out", "n" * 300)),
        ("file", GRID),
    ],
)
def test_the_folder_of_the_runs_is_tried_before_a_run(backtest, out: str, grid) -> None:
    result = backtest("run", "S", "--out", out, *grid)
    assert_refused(result, "the folder of the runs cannot be written", "--out")
    assert not Path("home").exists()


@pytest.mark.parametrize(
    ("home", "grid"),
    [
        *((home, ()) for home in ("file", "dangling", "/proc/self/home", "n" * 300)),
        *((home, ()) for home in ("file/below", "fits")),
        ("file", GRID),
    ],
)
def test_the_home_is_tried_before_a_run(backtest, home: str, grid) -> None:
    Path("fits").mkdir()
    Path("fits/fits").touch()
    result = backtest("run", "S", *grid, home=home)
    assert_refused(result, "BACKTEST_HOME) cannot be", "set BACKTEST_HOME")
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("data", "pull", "crypto-majors"), "BACKTEST_HOME"),
        (("data", "funding", "crypto-majors"), "BACKTEST_HOME"),
        (("replicate", "livieris2021", "--data", "folder"), "BACKTEST_HOME"),
    ],
    ids=["pull", "funding", "replicate"],
)
def test_the_home_is_tried_before_anything_is_fetched_or_trained(
    backtest, arguments, problem
) -> None:
    assert_refused(backtest(*arguments, home="file"), problem)


@pytest.mark.parametrize(
    "arguments", [("ledger", "list"), ("fits", "list"), ("data", "show", "crypto-majors")]
)
@pytest.mark.parametrize("home", ["file", "n" * 300])
def test_a_home_that_is_no_folder_is_told_by_what_only_reads(backtest, arguments, home) -> None:
    assert_refused(backtest(*arguments, home=home), "BACKTEST_HOME) cannot be used")


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        (("data", "export", "us-indices", "--out", "file"), "--out"),
        (("data", "export", "us-indices", "--out", "dangling"), "--out"),
        (("ledger", "export", "--out", "folder"), "--out"),
        (("ledger", "export", "--out", "missing/runs.csv"), "--out"),
        (("ledger", "export", "--out", "file/runs.csv"), "--out"),
        (("data", "funding", "crypto-majors", "--out", "file/rates.csv"), "--out"),
        (("data", "init", "file", "--output", "file/new.yaml"), ""),
    ],
)
def test_files_of_results_are_tried_before_any_work(backtest, arguments, fix: str) -> None:
    result = backtest(*arguments)
    assert_refused(result, fix)
    assert not list(Path().glob("*.draft"))


def test_init_where_a_folder_has_the_name_is_refused(backtest) -> None:
    Path("mine.yaml").mkdir()
    assert_refused(backtest("init", "mine", "--force"), "the strategy cannot be written", "EISDIR")


def test_a_folder_in_place_of_a_strategy_is_told(backtest) -> None:
    result = backtest("run", "folder")
    assert result.exit_code == 2
    assert "Is a directory" in result.stderr
    assert "fault of the engine" not in result.stderr


@pytest.mark.slow
def test_a_run_creates_a_private_home_and_leaves_no_draft(strategy, tmp_path) -> None:
    run = engine.run(strategy, out=tmp_path / "out", home=tmp_path / "home", pages=False)
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert run.run_dir.is_dir()
    assert [path.name for path in run.run_dir.parent.iterdir()] == [run.run_id]
    written = sum(path.stat().st_size for path in run.run_dir.iterdir())
    books = run.returns.shape[1]
    assert written < estimate_folder_bytes(len(run.bars), books, pages=False)


COMMAND = "from engine.cli.main import main; main()"


def command(
    *arguments: str, home: Path, ulimit: str = "", redirect: str = ""
) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, under a limit of the shell or with another stdout."""
    line = f'{ulimit}exec "$@" {redirect}'
    return subprocess.run(
        ["bash", "-c", line, "bash", sys.executable, "-c", COMMAND, *arguments],
        env={**os.environ, "BACKTEST_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_disk_that_is_full_at_the_end_costs_no_fit_and_leaves_no_half_folder(
    strategy, tmp_path
) -> None:
    """A limit on the size of files stands for the disk: the largest page is above it."""
    arguments = ("run", str(strategy), "--quiet", "--out", str(tmp_path / "out"))
    refused = command(*arguments, home=tmp_path / "home", ulimit="ulimit -f 150; ")
    assert refused.returncode == 2, refused.stderr
    assert "the folder of the run cannot be written" in refused.stderr
    assert "EFBIG" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not list((tmp_path / "out").rglob("*.*"))

    again = command(*arguments, home=tmp_path / "home")
    assert again.returncode == 0, again.stderr
    assert len(list((tmp_path / "out").rglob("metrics.json"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("schema",), ("ledger", "list"), ("data", "list")])
def test_a_result_that_stdout_refuses_is_told(arguments, tmp_path) -> None:
    refused = command(*arguments, home=tmp_path, redirect=">/dev/full")
    assert refused.returncode == 2
    assert "the result cannot be written" in refused.stderr
    assert "ENOSPC" in refused.stderr
    assert "Exception ignored" not in refused.stderr
    assert command(*arguments, home=tmp_path, redirect=">&-").returncode == 0


MODEL = "{kind: mlp, lookback: 6, dense: [8]}"


@pytest.mark.slow
def test_a_run_whose_fits_cannot_be_stored_ends_with_the_same_bytes(tmp_path, strategy) -> None:
    """Nothing can be created below the folders of the store, also not by root."""
    file = write_strategy(tmp_path, strategy.parent / "market" / "market.yaml", MODEL)
    for number in range(256):
        path = tmp_path / "home" / "fits" / f"{number:02x}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    arguments = ("run", str(file), "--no-pages", "--quiet", "--workers", "2")
    refusing = command(*arguments, "--out", str(tmp_path / "a"), home=tmp_path / "home")
    assert refusing.returncode == 0, refusing.stderr
    told = [line for line in refusing.stderr.splitlines() if "could not be stored" in line]
    assert len(told) == 1
    assert "ENOTDIR" in told[0]
    whole = engine.run(file, out=tmp_path / "b", home=tmp_path / "other", pages=False)
    assert_same(engine.Run.open(tmp_path / "a" / "small" / whole.run_id), whole)
