"""`backtest schema`: prints the JSON Schema of strategy files."""

from __future__ import annotations

import json

import typer

from engine.cli.errors import handle_errors


def schema_command() -> None:
    """Print the JSON Schema of strategy files."""
    with handle_errors(debug=False):
        from engine.strategy import Strategy

        typer.echo(json.dumps(Strategy.model_json_schema(), indent=2))
