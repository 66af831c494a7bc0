"""What the shell completes, asked as bash, zsh and fish ask it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.cli import completion

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = "from engine.cli.main import main; main()"
HEAVY = {"numpy", "pandas", "keras", "vectorbt", "rich", "engine.strategy"}


def completed(*words: str, shell: str = "bash", cwd: Path | None = None) -> list[str]:
    line = " ".join(["backtest", *words])
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words))},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        env={**os.environ, "_BACKTEST_COMPLETE": f"complete_{shell}", **asked},
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with strategies, a dataset and two runs."""
    for file in ("mine.yaml", "strategies/micdl.yaml", "strategies/ridge.yaml", "notes.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "my-bars.yaml").touch()
    for number, run in enumerate(("ridge/aaa", "ridge/bbb")):
        folder = tmp_path / "reports" / run
        folder.mkdir(parents=True)
        (folder / "manifest.json").touch()
        os.utime(folder / "manifest.json", (number, number))
    (tmp_path / "reports" / "ridge" / ".draft").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("place")
def test_strategies_are_found_in_their_folder_by_name_alone() -> None:
    assert completion.complete_strategies("mi") == ["mine.yaml", "strategies/micdl.yaml"]
    assert completion.complete_strategies("strategies/") == [
        *("strategies/micdl.yaml", "strategies/ridge.yaml")
    ]
    assert completion.complete_strategies("nowhere/x") == []


@pytest.mark.usefixtures("place")
def test_datasets_are_those_of_this_folder_and_of_the_engine() -> None:
    assert completion.complete_datasets("") == ["crypto-majors", "my-bars", "us-indices"]


@pytest.mark.usefixtures("place")
def test_run_folders_come_the_newest_first() -> None:
    assert completion.complete_runs("") == ["reports/ridge/bbb", "reports/ridge/aaa"]


def test_paths_of_the_schema_complete_a_level_at_a_time() -> None:
    assert completion.complete_keys("mod") == ["model"]
    assert completion.complete_keys("model.ls") == ["model.lstm"]
    assert "model.lstm.units" in completion.complete_keys("model.lstm.")


def test_what_can_be_set_completes_to_the_equals_sign() -> None:
    assert completion.complete_overrides("signal.e") == [
        *("signal.enter=", "signal.exit=", "signal.enter_bps=", "signal.exit_bps=")
    ]


def test_the_schemas_file_is_the_schema_of_strategies() -> None:
    from engine.config.reference import list_entries, list_schema_entries
    from engine.strategy import Strategy

    assert list_schema_entries(completion._load_schema()) == list_entries(Strategy)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_answered(shell: str, place: Path) -> None:
    told = completed("data", "check", "my", shell=shell, cwd=place)
    assert any("my-bars" in line for line in told)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        env={**os.environ, "_BACKTEST_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"complete_{shell}" in done.stdout


def test_the_engine_is_not_loaded_to_complete_a_key() -> None:
    script = (
        "import sys\n"
        "from engine.cli.completion import complete_keys, complete_overrides\n"
        "assert complete_keys('model.') and complete_overrides('signal.')\n"
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
