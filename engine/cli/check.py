"""The commands that train nothing: `check_command`, `data list`, `schema_command`."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.errors import handle_errors, print_notice
from engine.cli.options import DebugOption, OverridesOption, StrategyArgument  # noqa: TC001 - typer reads them
from engine.cli.text_table import colourise, prose_width
from engine.cli.text_table import print_text as printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data import DatasetManifest

LABEL_WIDTH = 13


def check_command(
    strategy: StrategyArgument, set_: OverridesOption = None, debug: DebugOption = False
) -> None:
    """Validate a strategy and show all its values.

    Tells every mistake in the file at once; values left out are shown with their defaults.

    Touches no data.
    """
    with handle_errors(debug=debug):
        from engine.config import parse_overrides
        from engine.core.open_kinds import list_kind_faults
        from engine.strategy import load_strategy

        loaded = load_strategy(Path(strategy), parse_overrides(set_ or ()), print_notice)
        for fault in list_kind_faults():
            print_notice(str(fault))
        tree = loaded.model_dump(mode="json")
        typer.echo(f"{strategy} is a valid strategy")
        for key, value in tree.items():
            for number, line in enumerate(_format_value_lines(value)):
                typer.echo(f"  {'' if number else key:<{LABEL_WIDTH}}{line}")


def _format_value_lines(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """A value in words; a list has a line an entry."""
    if isinstance(value, list):
        for entry in value:
            yield from _format_value_lines(entry)
    elif isinstance(value, dict):
        parts = [str(value["kind"])] if "kind" in value else []
        parts += [f"{key} {_format_value(item)}" for key, item in value.items() if key != "kind"]
        yield ", ".join(parts)
    else:
        yield _format_value(value)


def _format_value(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        return "none"
    if isinstance(value, dict):
        return f"({', '.join(f'{key} {_format_value(item)}' for key, item in value.items())})"
    return json.dumps(value) if isinstance(value, bool | list) else str(value)


def schema_command(
    built_in: Annotated[
        bool,
        typer.Option("--built-in", help="The engine's own kinds, without installed ones."),
    ] = False,
) -> None:
    """Print the JSON Schema of strategy files, with the kinds that installed packages offer."""
    with handle_errors(debug=False):
        from engine.core.open_kinds import built_in_kinds_only, list_kind_faults
        from engine.strategy import Strategy

        if built_in:
            with built_in_kinds_only():
                schema = Strategy.model_json_schema()
        else:
            schema = Strategy.model_json_schema()
            for fault in list_kind_faults():
                print_notice(str(fault))
        typer.echo(json.dumps(schema, indent=2))


def data_list_command(debug: DebugOption = False) -> None:
    """List the datasets that can be named.

    Those in datasets/ of this folder come before those of the engine.
    """
    with handle_errors(debug=debug):
        from engine.data import list_dataset_names, read_manifest

        width = prose_width()
        for name in list_dataset_names():
            printed("\n".join(_format_dataset(read_manifest(name), width)))


def _format_dataset(manifest: DatasetManifest, width: int) -> Iterator[str]:
    dataset = manifest.dataset
    span = f"{dataset.start or 'the first bar'} to {dataset.end or 'now'}"
    facts = {
        "symbols": ", ".join(dataset.symbols),
        "bars": f"{dataset.interval}, {span}, calendar {dataset.calendar}",
        "sources": ", then ".join(source.kind for source in dataset.sources),
        "note": " ".join(dataset.note.split()),
    }
    yield f"{colourise(dataset.name, 'cyan')} ({manifest.path})"
    for label, fact in facts.items():
        if fact:
            yield from textwrap.wrap(
                f"  {label:<{LABEL_WIDTH}}{fact}",
                width,
                subsequent_indent=" " * (LABEL_WIDTH + 2),
                break_long_words=False,
                break_on_hyphens=False,
            )
