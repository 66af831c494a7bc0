"""Reference pages of the command line, generated from the command line itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sphinx.util.docutils import SphinxDirective

from engine.cli.errors import EXIT_BROKEN_PIPE, EXIT_UNEXPECTED
from engine.core import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer
    from docutils import nodes
    from sphinx.application import Sphinx

PLACEHOLDER = re.compile(r"<[a-z _|]+>")


class Command(NamedTuple):
    """A command with its full name: `data show`."""

    name: str
    command: Any


def commands(app: typer.Typer) -> Iterator[Command]:
    """Every command, each group followed by its commands."""
    import typer.main

    root = typer.main.get_command(app)
    yield from _list_group("", root)


def _list_group(path: str, group: Any) -> Iterator[Command]:  # noqa: ANN401 - typer's own class
    for name, command in group.commands.items():
        full = f"{path} {name}".strip()
        yield Command(full, command)
        if hasattr(command, "commands"):
            yield from _list_group(full, command)


def as_markdown(app: typer.Typer) -> str:
    """One section for each command, with its help, arguments and options."""
    return "\n\n".join(_section(each) for each in commands(app))


def _section(each: Command) -> str:
    depth = "#" * (1 + len(each.name.split()))
    parts = [f"{depth} backtest {each.name}", _as_prose(each.command.help or "")]
    if not hasattr(each.command, "commands"):
        parts += [_usage(each), *_tables(each.command)]
    return "\n\n".join(part for part in parts if part)


def _as_prose(text: str) -> str:
    """Help as Markdown, with angle brackets escaped."""
    return PLACEHOLDER.sub(lambda match: match[0].replace("<", r"\<"), text.strip())


def _usage(each: Command) -> str:
    arguments = [_argument(p) for p in each.command.params if not p.opts[0].startswith("-")]
    words = ["backtest", each.name, *arguments, "[OPTIONS]"]
    return f"```text\n{' '.join(words)}\n```"


def _argument(parameter: Any) -> str:  # noqa: ANN401 - typer's own class
    name = parameter.metavar or parameter.name.upper()
    name += "..." if parameter.nargs == -1 else ""
    return name if parameter.required else f"[{name}]"


def _tables(command: Any) -> Iterator[str]:  # noqa: ANN401 - typer's own class
    context = command.make_context("", [], resilient_parsing=True)
    records = {parameter: parameter.get_help_record(context) for parameter in command.params}
    arguments = {p: r for p, r in records.items() if r and not p.opts[0].startswith("-")}
    options = {p: r for p, r in records.items() if r and p not in arguments}
    if arguments:
        yield _table("argument", [(_argument(p), text) for p, (_, text) in arguments.items()])
    if options:
        yield _table("option", list(options.values()))


def _table(heading: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| {heading} | |", "|---|---|"]
    for name, text in rows:
        prose = _as_prose(text.replace("  [required]", ""))
        lines.append(f"| {_cell(f'`{name}`')} | {_cell(prose)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def exit_codes() -> str:
    """One row for each exit code, with its errors."""
    meanings: dict[int, list[str]] = {0: ["done"]}
    for error in _all_subclasses(errors.BacktestError):
        summary = (error.__doc__ or "").splitlines()[0].rstrip(".").split(":")[0]
        meanings.setdefault(error.exit_code, []).append(
            f"{summary[0].lower()}{summary[1:]} (`{error.__name__}`)"
        )
    meanings.setdefault(EXIT_UNEXPECTED, []).append("a fault of the engine; `--debug` shows where")
    meanings[EXIT_UNEXPECTED].append("`backtest selftest`: a row failed")
    meanings[EXIT_UNEXPECTED].append("`backtest leaktest`: a leak was missed, or a false alarm")
    meanings[errors.EXIT_INTERRUPTED] = ["interrupted (Ctrl-C)"]
    meanings[EXIT_BROKEN_PIPE] = ["the reader of the output has closed it, as after `| head`"]
    rows = [f"| {code} | {_cell('<br>'.join(meanings[code]))} |" for code in sorted(meanings)]
    return "\n".join(["| exit code | meaning |", "|---|---|", *rows])


def _all_subclasses(error: type[errors.BacktestError]) -> Iterator[type[errors.BacktestError]]:
    for subclass in error.__subclasses__():
        yield subclass
        yield from _all_subclasses(subclass)


class CommandReference(SphinxDirective):
    """The directive `commands`: all commands, or with `exit-codes` their exit codes."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Returns the nodes of the sections."""
        from engine.cli.main import app

        text = exit_codes() if self.arguments == ["exit-codes"] else as_markdown(app)
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the directive `commands`."""
    app.add_directive("commands", CommandReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
