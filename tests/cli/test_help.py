"""Help at 80 columns, nothing truncated; typos are answered with a suggestion."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from engine.cli.errors import print_error
from engine.cli.main import app
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(
    group: typer.main.TyperGroup, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


ALL_COMMANDS = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL_COMMANDS, ids=" ".join)
def test_help_fits_eighty_columns_and_is_not_truncated(path: tuple[str, ...]) -> None:
    text = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"}).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert [line for line in text.splitlines() if line.rstrip().endswith("...")] == [
        line for line in text.splitlines() if line.startswith("Usage:") and line.endswith("...")
    ]
    assert "[[" not in text


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["rnu"], "'run'"),
        (["data", "chek"], "'check'"),
        (["ledger", "lst"], "'list'"),
        (["run", "s.yaml", "--ofline"], "--offline"),
        (["ledger", "list", "--statsu", "failed"], "--status"),
        (["explain", "modle"], "model"),
        (["init", "x", "--model", "rdige"], "`ridge`"),
        (["data", "show", "us-indice"], "us-indices"),
        (["check", "strategies/rigde.yaml"], "strategies/ridge.yaml"),
        (["check", "strategies/ridge.yaml", "--set", "signal.enter_bp=5"], "`enter_bps`"),
        (["check", "strategies/ridge.yaml", "--set", "model.kind=rdige"], "`ridge`"),
        (["run", "strategies/ridge.yaml", "--grid", "signal.enter_bp=5,6"], "`enter_bps`"),
        (["run", "strategies/ridge.yaml", "strategies/rigde.yaml"], "strategies/ridge.yaml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_typo_is_answered_with_a_suggestion(arguments: list[str], suggestion: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code in {2, 3}
    assert suggestion in result.stderr.splitlines()[-1]


def test_errors_are_wrapped_on_a_terminal_and_not_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = UsageError("there is no such key", expected=", ".join(["lookback"] * 12))
    print_error(error, debug=False)
    assert len(capsys.readouterr().err.splitlines()) == 2
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    print_error(error, debug=False)
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0] == "error: there is no such key"
    assert lines[2].startswith("      lookback, ")
