"""`backtest run`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.cli.failures import exit_codes
from engine.cli.options import (
    Debug,
    Fresh,
    Json,
    Overrides,
    Quiet,
    StrategyFile,
    Vintage,
    Workers,
    one_thread_a_process,
)
from engine.cli.progress import told_on_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.artifacts import Run


def run(  # noqa: PLR0913, PLR0917 - a parameter an option
    context: typer.Context,
    strategy: StrategyFile,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help="Dataset to use instead of the strategy's: a name in datasets/, or a manifest.",
        ),
    ] = None,
    set_: Overrides = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where run folders go: DIR/<strategy>/<run id>/.")
    ] = Path("reports"),
    workers: Workers = None,
    executor: Annotated[
        Literal["local", "ray"] | None,
        typer.Option(help="Where the training runs, instead of the strategy's compute.executor."),
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="A running Ray cluster, such as ray://head:10001. Default: Ray on this machine.",
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use the strategy's offline dataset; no network.")
    ] = False,
    vintage: Vintage = None,
    fresh: Fresh = False,
    no_pages: Annotated[
        bool,
        typer.Option("--no-pages", help="Draw no pages; `backtest report RUN_DIR` does it later."),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Backtest a strategy, out of sample and after costs.

    Trains walk-forward, trades on bars the training never saw, judges against simple rules and
    luck, and writes a report.

    Progress goes to stderr, the result to stdout. Exit codes: 0 done, 2 the command line or the
    strategy is wrong, 3 data missing or unfit, 4 something knew the future, 5 a fit failed, 130
    interrupted.
    """
    with exit_codes(debug=debug):
        one_thread_a_process()
        from engine.documents import parse_overrides

        overrides = parse_overrides(set_ or ())
        where = {"compute.executor": executor, "compute.ray_address": ray_address}
        overrides.update({key: value for key, value in where.items() if value is not None})
        with told_on_stderr(quiet=quiet) as progress:
            execute = context.obj or _pipeline()
            finished = execute(
                strategy,
                overrides=overrides,
                data=data,
                offline=offline,
                vintage=vintage,
                out=out,
                workers=workers,
                fresh=fresh,
                pages=not no_pages,
                progress=progress,
                command=shlex.join(["backtest", *sys.argv[1:]]),
            )
        from engine.cli.summary import as_json, as_text

        typer.echo(as_json(finished) if json else as_text(finished))


def _pipeline() -> Callable[..., Run]:
    """What runs a strategy, unless the caller of the command line brought another."""
    from engine import pipeline

    return pipeline.run
