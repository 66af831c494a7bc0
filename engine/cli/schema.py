"""`backtest schema`: prints the JSON Schema of strategy files."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.terminal import print_json, print_notice


def schema_command(
    built_in: Annotated[
        bool,
        typer.Option("--built-in", help="Without kinds of installed packages."),
    ] = False,
) -> None:
    """Print the JSON Schema of strategy files.

    It has the kinds that installed packages offer; with --built-in it has the engine's own alone.
    """
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
        print_json(schema)
