"""`backtest data export`: the bars of a dataset as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.cli.data_context import make_data_context
from engine.cli.errors import handle_errors
from engine.cli.options import DatasetArgument, DebugOption, JsonOption, VintageOption
from engine.cli.terminal import print_json, print_lines, print_notice


def data_export_command(
    context: typer.Context,
    dataset: DatasetArgument,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder for the files; created if missing."),
    ],
    format_: Annotated[
        Literal["csv", "parquet"], typer.Option("--format", help="Kind of the files.")
    ] = "parquet",
    vintage: VintageOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a dataset's bars to files.

    One file a symbol, and a manifest that names them: the bars a run would use, within the
    dataset's start and end. Uses no network. With the manifest the files are a dataset: `--data
    DIR/NAME.yaml`. Existing files are not replaced; they are an error. Read the dataset's note
    about who may use its bars.
    """
    with handle_errors(debug=debug):
        from engine.data import export_dataset, read_manifest
        from engine.data.export import EXPORT_PLACE
        from engine.data.fetch import fetch_dataset
        from engine.data.store import load_as_of

        EXPORT_PLACE.require_folder(out)
        manifest = read_manifest(dataset)
        data = make_data_context(context)
        bars = load_as_of(manifest, data, vintage) if vintage else fetch_dataset(manifest, data)
        files = export_dataset(manifest.dataset, bars, out, format_)
        for notice in data.notices:
            print_notice(notice)
        if json:
            print_json({"files": [str(path) for path in files]})
        else:
            print_lines(files)
