"""`backtest data export`."""

from __future__ import annotations

import json as json_
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated, Literal

import typer

from engine.cli.data_access import access_of
from engine.cli.failures import exit_codes
from engine.cli.options import DatasetName, Debug, Json, Vintage  # noqa: TC001 - typer reads them


def export(
    context: typer.Context,
    dataset: DatasetName,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the files; made if need be.")
    ],
    format_: Annotated[
        Literal["csv", "parquet"], typer.Option("--format", help="Kind of the files.")
    ] = "parquet",
    vintage: Vintage = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a dataset's bars to files.

    One file a symbol, and a manifest that names them: the bars a run would use, within the
    dataset's start and end. Uses no network. The manifest makes a dataset of the files: `--data
    DIR/NAME.yaml`. Files that are there already are left alone, and it is an error. Mind the
    dataset's note about who may use its bars.
    """
    with exit_codes(debug=debug):
        from engine.data.collect import collect
        from engine.data.exporting import export as write
        from engine.data.manifests import read_manifest
        from engine.data.replay import replay

        manifest = read_manifest(dataset)
        access = access_of(context)
        found = replay(manifest, access, vintage) if vintage else collect(manifest, access)
        made = write(manifest.dataset, found, out, format_)
        for notice in access.said:
            typer.echo(notice, err=True)
        if json:
            typer.echo(json_.dumps({"files": [str(path) for path in made]}, indent=2))
        else:
            for path in made:
                typer.echo(path)
