"""`backtest run`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.cli.columns import room, show
from engine.cli.failures import FITS_ARE_STORED, exit_codes, tell_error
from engine.cli.options import (
    Data,
    Debug,
    Fresh,
    Grid,
    Json,
    Offline,
    Overrides,
    Quiet,
    StrategyFiles,
    Vintage,
    Workers,
    one_thread_a_process,
)
from engine.cli.progress import told_on_stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.artifacts import Run
    from engine.pipeline.family import Family
    from engine.progress import FamilyProgress


def run(  # noqa: PLR0913, PLR0917 - a parameter an option
    context: typer.Context,
    strategies: StrategyFiles,
    data: Data = None,
    set_: Overrides = None,
    grid: Grid = None,
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
    offline: Offline = False,
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

    Several strategies, or a --grid of values, are one family: each member is a run of its own,
    nothing is trained twice, one page compares them, and the best of them is judged as the best
    of all that were tried.

    Progress goes to stderr, the result to stdout. Exit codes: 0 done, 2 the command line or the
    strategy is wrong, 3 data missing or unfit, 4 something knew the future, 5 a fit failed, 130
    interrupted. A family goes on past a member that fails, and ends with the first one's code.
    """
    with exit_codes(debug=debug, interrupted=FITS_ARE_STORED):
        one_thread_a_process()
        from engine.documents import parse_grid, parse_overrides

        overrides = parse_overrides(set_ or ())
        where = {"compute.executor": executor, "compute.ray_address": ray_address}
        overrides.update({key: value for key, value in where.items() if value is not None})
        tried = parse_grid(grid or ())
        options = {
            "overrides": overrides,
            "data": data,
            "offline": offline,
            "vintage": vintage,
            "out": out,
            "workers": workers,
            "fresh": fresh,
            "pages": not no_pages,
            "command": shlex.join(["backtest", *sys.argv[1:]]),
        }
        alone = len(strategies) == 1 and not tried
        with told_on_stderr(quiet=quiet) as progress:
            execute = context.obj or _pipeline()
            if alone:
                made = execute(strategies[0], progress=progress, **options)
            else:
                family = _family(strategies, tried, progress, execute, options)
        if alone:
            _print_run(made, as_json=json)
        else:
            _print_family(family, as_json=json, debug=debug)


def _family(
    strategies: Sequence[str],
    grid: Mapping[str, Sequence[object]],
    progress: FamilyProgress,
    execute: Callable[..., Run],
    options: Mapping[str, Any],
) -> Family:
    from engine.pipeline import run_family

    return run_family(strategies, grid=grid, progress=progress, execute=execute, **options)


def _print_run(made: Run, *, as_json: bool) -> None:
    from engine.cli import summary

    if as_json:
        typer.echo(summary.as_json(made))
    else:
        show(summary.as_text(made, coloured=True))


def _print_family(made: Family, *, as_json: bool, debug: bool) -> None:
    """On stdout what came of all; on stderr what went wrong, whose first decides the exit code."""
    from engine.cli import family_summary

    if as_json:
        typer.echo(family_summary.as_json(made))
    else:
        show(family_summary.as_text(made, room(), coloured=True))
    codes = [tell_error(error, debug=debug, of=member.label) for member, error in made.failures]
    if codes:
        raise typer.Exit(codes[0])


def _pipeline() -> Callable[..., Run]:
    """What runs a strategy, unless the caller of the command line brought another."""
    from engine import pipeline

    return pipeline.run
