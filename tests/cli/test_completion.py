"""Shell completion for bash, zsh and fish."""

from __future__ import annotations

import json
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
    variables = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words))},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        env={**os.environ, "_BACKTEST_COMPLETE": f"complete_{shell}", **variables},
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
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


@pytest.mark.usefixtures("working_folder")
def test_strategies_complete_by_file_name() -> None:
    assert completion.complete_strategies("mi") == ["mine.yaml", "strategies/micdl.yaml"]
    assert completion.complete_strategies("strategies/") == [
        *("strategies/micdl.yaml", "strategies/ridge.yaml")
    ]
    assert completion.complete_strategies("nowhere/x") == []


def test_names_with_control_characters_are_not_offered(working_folder: Path) -> None:
    (working_folder / "mi\x1b[2J.yaml").touch()
    (working_folder / "reports" / "ridge" / "c\u202e").mkdir()
    (working_folder / "reports" / "ridge" / "c\u202e" / "manifest.json").touch()
    assert completion.complete_strategies("mi") == ["mine.yaml", "strategies/micdl.yaml"]
    assert completion.complete_runs("") == ["reports/ridge/bbb", "reports/ridge/aaa"]


@pytest.mark.usefixtures("working_folder")
def test_datasets_of_the_folder_and_of_the_engine_complete() -> None:
    names = completion.complete_datasets("")
    assert {"crypto-majors", "my-bars", "us-indices"} <= {*names}
    assert completion.complete_datasets("my") == ["my-bars"]


@pytest.mark.usefixtures("working_folder")
def test_run_folders_complete_newest_first() -> None:
    assert completion.complete_runs("") == ["reports/ridge/bbb", "reports/ridge/aaa"]


def test_schema_paths_complete_one_level_at_a_time() -> None:
    assert completion.complete_keys("mod") == ["model"]
    assert completion.complete_keys("model.ls") == ["model.lstm"]
    assert "model.lstm.units" in completion.complete_keys("model.lstm.")


def test_overrides_complete_to_the_equals_sign() -> None:
    assert completion.complete_overrides("signal.e") == [
        *("signal.enter=", "signal.exit=", "signal.enter_bps=", "signal.exit_bps=")
    ]


def test_the_schemas_file_is_the_schema_of_strategies() -> None:
    from engine.config.json_schema import find_schema_file
    from engine.config.reference import list_entries, list_schema_entries
    from engine.strategy import Strategy

    schema = json.loads(find_schema_file().read_text(encoding="utf-8"))
    assert list_schema_entries(schema) == list_entries(Strategy)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_completions(shell: str, working_folder: Path) -> None:
    completions = completed("data", "check", "my", shell=shell, cwd=working_folder)
    assert any("my-bars" in line for line in completions)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        env={**os.environ, "_BACKTEST_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"complete_{shell}" in done.stdout


def test_completion_does_not_load_the_engine() -> None:
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
