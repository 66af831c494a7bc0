"""The commands and their parameters, read from the command line itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import UsageError
from tests.cli.terminal_text import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result


def leaf_commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaf_commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(leaf_commands(typer.main.get_command(app)))


@dataclass(frozen=True)
class Parameter:
    """An argument or option that takes a value."""

    name: str
    metavar: str
    flag: str
    is_argument: bool
    required: bool


def parameters(path: tuple[str, ...]) -> list[Parameter]:
    return [
        Parameter(
            each.name,
            each.metavar or "",
            each.opts[0],
            each.param_type_name == "argument",
            each.required,
        )
        for each in COMMANDS[path].params
        if not getattr(each, "is_flag", False) and each.name != "help"
    ]


def failing_run(*_arguments: object, **options: Any) -> None:
    """Stands for what trains: reports, warns and fails with hostile words."""
    progress = options["progress"]
    progress.stage(HOSTILE)
    progress.advance(1, 1, HOSTILE)
    progress.notice(HOSTILE)
    raise UsageError(HOSTILE, expected=HOSTILE, found=HOSTILE, where=HOSTILE, fix=HOSTILE)


REFUSED: dict[tuple[str, ...], list[str]] = {("serve",): ["--host", "192.0.2.1"]}
"""Arguments that are refused, of a command that would go on until Ctrl-C."""


def invoke(path: tuple[str, ...], *arguments: str) -> Result:
    """Runs a command; those that train, which are those with --workers, fail instead."""
    trains = any(each.flag == "--workers" for each in parameters(path))
    given = [*path, *REFUSED.get(path, []), *arguments]
    return CliRunner().invoke(app, given, obj=failing_run if trains else None)
