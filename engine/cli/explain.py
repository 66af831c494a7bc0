"""`backtest explain`: what a key of a strategy or a dataset means."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption
from engine.cli.terminal import NAME, print_json, print_lines, print_notice, styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.config import ReferenceEntry
    from engine.core.types import Spec

MAX_WIDTH = 80
MAX_DEFAULT_LENGTH = 24
MIN_TEXT_WIDTH = 24
"""Columns that a text needs to stand next to its key."""


def explain_command(
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            help="Dotted path of a key, with kinds: model, model.lstm, model.lstm.units.",
            autocompletion=completion.complete_keys,
        ),
    ] = None,
    dataset: Annotated[
        bool, typer.Option("--dataset", help="Explain a dataset manifest instead of a strategy.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Explain a key of a strategy or of a dataset.

    Shows its meaning, accepted values and default. Without PATH: the keys of the top level.
    """
    with handle_errors(debug=debug):
        from engine.config import child_entries, find_entry, list_entries
        from engine.core.open_kinds import list_kind_faults

        entries = list_entries(_root_spec(dataset=dataset))
        for fault in [] if dataset else list_kind_faults():
            print_notice(str(fault))
        entry = None if path is None else find_entry(entries, path)
        children = child_entries(entries, entry)
        if as_json:
            document = {
                "entry": entry and asdict(entry),
                "keys": [asdict(one) for one in children],
            }
            print_json(document)
        else:
            width = min(shutil.get_terminal_size().columns, MAX_WIDTH)
            print_lines(_render_text(entry, children, width, dataset=dataset))


def _root_spec(*, dataset: bool) -> type[Spec]:
    from engine.data import Dataset
    from engine.strategy import Strategy

    return Dataset if dataset else Strategy


def _render_text(
    entry: ReferenceEntry | None, children: Sequence[ReferenceEntry], width: int, *, dataset: bool
) -> Iterator[str]:
    option = "--dataset " if dataset else ""
    if entry is None:
        yield f"The keys of a {'dataset manifest' if dataset else 'strategy'}:"
    else:
        yield styled(entry.path, "bold")
        yield from _format_entry(entry, width)
    if children:
        yield ""
        yield from _format_keys(children, width)
        example = next((each for each in children if each.kinds or each.kind), children[0])
        yield ""
        yield f"More: backtest explain {option}{example.path}"


def _format_entry(entry: ReferenceEntry, width: int) -> Iterator[str]:
    for text in filter(None, (entry.meaning, entry.part)):
        yield ""
        yield from _wrap_paragraphs(text, width)
    facts = {
        "takes": "" if entry.kind else entry.accepts,
        "default": _format_default(entry),
        "kinds": f"those of {entry.same_as}" if entry.same_as else "",
        "in a file": "" if entry.kind or entry.path_in_file == entry.path else entry.path_in_file,
        "written": f"{{kind: {entry.kind}}}" if entry.kind else "",
    }
    yield ""
    for name, fact in facts.items():
        if fact:
            yield from textwrap.wrap(
                f"{name:<11}{fact}", width, subsequent_indent=" " * 11, break_long_words=False
            )


def _format_default(entry: ReferenceEntry) -> str:
    if entry.default == "{}":
        return "the defaults of its keys"
    return entry.default or ("none; the key is required" if entry.required else "")


def _format_keys(children: Sequence[ReferenceEntry], width: int) -> Iterator[str]:
    """One or more lines per key: name, meaning in short, and default."""
    names = [each.path.rpartition(".")[2] for each in children]
    name_width = 2 + max(map(len, names)) + 2
    in_columns = width - name_width >= MIN_TEXT_WIDTH
    for name, each in zip(names, children, strict=True):
        text = " ".join((each.meaning or each.part).partition("\n\n")[0].split())
        if 0 < len(each.default) <= MAX_DEFAULT_LENGTH and each.default != "{}":
            text += f" Default: {each.default}."
        indent = " " * (name_width if in_columns else 4)
        lines = textwrap.wrap(text, width - len(indent)) or [""]
        head = f"  {styled(name, NAME)}"
        padding = " " * (name_width - 2 - len(name))
        yield f"{head}{padding}{lines.pop(0)}".rstrip() if in_columns else head
        yield from (f"{indent}{line}" for line in lines)


def _wrap_paragraphs(text: str, width: int) -> Iterator[str]:
    """Wraps paragraphs; lines of a list or a formula stay separate."""
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ""
        lines = paragraph.split("\n")
        is_list = any(line.startswith((" ", "- ", "* ")) for line in lines)
        for part in lines if is_list else [" ".join(lines)]:
            indent = part[: len(part) - len(part.lstrip())]
            yield from textwrap.wrap(
                part, width, subsequent_indent=indent, break_long_words=False
            ) or [""]
