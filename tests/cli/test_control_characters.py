"""No command lets a control character of an argument or of a file through to the terminal.

The commands and their parameters are read from the command line itself: a new command is tested
without a word here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import StrategyError
from engine.trials import Ledger
from tests.cli.command_tree import COMMANDS, failing_run, invoke, parameters
from tests.cli.terminal_text import HOSTILE, find_controls
from tests.trials.factories import data_scope, outcome, strategy

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

YAML_TEXT = '"' + "".join(f"\\U{ord(character):08x}" for character in HOSTILE) + '"'
"""The text as YAML can hold it."""


def check(result: Result) -> str:
    assert find_controls(result.output) == []
    assert not isinstance(result.exception, UnicodeError)
    return result.output


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "500")
    return tmp_path / "home"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_arguments_are_shown_escaped(path: tuple[str, ...]) -> None:
    known = parameters(path)
    shown = [check(invoke(path, f"--{HOSTILE}")), check(invoke(path, *[HOSTILE] * 9))]
    required = [
        part
        for each in known
        if each.required
        for part in ([HOSTILE] if each.is_argument else [each.flag, HOSTILE])
    ]
    for each in known:
        if not each.is_argument:
            value = f"a={HOSTILE}" if each.metavar.startswith("PATH=") else HOSTILE
            shown.append(check(invoke(path, *required, each.flag, value)))
    assert r"\x1b[2J" in shown[0]


@pytest.fixture
def folder(tmp_path: Path, home: Path) -> Path:
    """A dataset, a strategy, a run folder and a ledger whose every text is hostile."""
    days = pd.date_range("2020-01-01", periods=40).strftime("%Y-%m-%d")
    rows = "".join(f"{day},1,2,1,1.5,{HOSTILE}\n" for day in days)
    # A line break would end the header: every other character may stand in it.
    header = f"date,open,high,low,close,{HOSTILE}\n".replace("\r", "").replace("\u2028", "")
    (tmp_path / f"{HOSTILE}.csv").write_text(header + rows.replace("\r", ""))
    (tmp_path / "d.yaml").write_text(
        f"name: {YAML_TEXT}\ninterval: 1d\ncalendar: 24/7\nsymbols: [{YAML_TEXT}, B]\n"
        f"note: {YAML_TEXT}\nsources:\n  - {{kind: files, path: ., "
        f'pattern: "{{symbol}}.csv", volume: none}}\n'
    )
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / f"{HOSTILE}.yaml").write_text((tmp_path / "d.yaml").read_text())
    (tmp_path / "s.yaml").write_text(
        f"name: s\ndescription: {YAML_TEXT}\ndata: {{dataset: d.yaml, target: {YAML_TEXT}}}\n"
        "features: [{kind: log_return}]\nmodel: {kind: ridge}\n"
    )
    (tmp_path / RUN).mkdir()
    (tmp_path / RUN / "manifest.json").write_text(json.dumps({HOSTILE: 1}))
    home.mkdir()
    ledger = Ledger(home / "ledger.sqlite")
    with ledger.record(strategy(name=HOSTILE), HOSTILE) as entry:
        entry.set_data_scope(data_scope(targets=(HOSTILE,)))
        entry.finish(outcome(3, run_id="0123456789ab", sharpe=0.5, grade="weak"))
    return tmp_path


RUN = f"run {HOSTILE}"
VALUES = {
    "STRATEGY": "s.yaml",
    "DATASET": "d.yaml",
    "RUN": RUN,
    "DIR": "out",
    "FILE": f"{HOSTILE}.csv",
    "FUNCTION": f"{HOSTILE}.py:f",
    "KEY": HOSTILE,
    "NAME": HOSTILE,
    "X": "1000",
}
"""What each kind of required value is given, by its name in the help."""


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_what_files_hold_is_shown_escaped(path: tuple[str, ...], as_json: bool) -> None:
    arguments = [
        part
        for each in parameters(path)
        if each.required
        for part in (
            [VALUES[each.metavar]] if each.is_argument else [each.flag, VALUES[each.metavar]]
        )
    ]
    if path == ("ledger", "show"):
        arguments = ["1"]
    if path == ("ledger", "export"):
        arguments = ["--format", "json"]  # CSV in a pipe is data, of every character
    if as_json and any(each.opts[0] == "--json" for each in COMMANDS[path].params):
        arguments.append("--json")
    if path == ("report",):
        arguments = [RUN]
    text = check(invoke(path, *arguments))
    if path[-1] in SHOWING and path not in {("fits", "list"), ("paper", "run")}:
        assert "x1b[2J" in text or "u001b[2J" in text


SHOWING = {"run", "features", "report", "compare", "check", "show", "export", "list", "diff"}
"""Commands that have something of these files to show."""


def test_a_mistake_in_a_strategy_is_shown_escaped(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(f"{YAML_TEXT}: 1\nname: {YAML_TEXT}\nmodel: {{kind: lstm}}\n")
    text = check(invoke(("check",), "w.yaml"))
    assert text.count(r"\x1b[2J") >= 2
    assert "mistakes" in text


def test_an_error_is_shown_escaped_with_its_traceback() -> None:
    result = CliRunner().invoke(app, ["run", "s.yaml", "--debug"], obj=failing_run)
    text = check(result)
    assert "Traceback" in text
    assert text.count(r"\x1b[2J") >= 9


def test_a_csv_of_the_ledger_in_a_pipe_is_the_data_itself(folder: Path) -> None:
    out = folder / "ledger.csv"
    check(invoke(("ledger", "export"), "--out", str(out)))
    assert HOSTILE.encode() in out.read_bytes()


def test_errors_of_several_parts_are_shown_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    from engine.cli.errors import print_error

    print_error(StrategyError(HOSTILE, ()), debug=False, failed_part=HOSTILE)
    print_error(ValueError(HOSTILE), debug=True)
    assert find_controls(capsys.readouterr().err) == []
