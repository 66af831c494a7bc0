"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

StrategyFile: TypeAlias = Annotated[
    str, typer.Argument(metavar="STRATEGY", help="Strategy file, such as strategies/micdl.yaml.")
]
Overrides: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Replace one value of the strategy, such as windows.train=3y or "
        "opponents.0.fast=10. Repeatable.",
    ),
]
Debug: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show the traceback when something fails.")
]
