"""`backtest run`: backtests one strategy, or a sweep."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.cli.errors import INTERRUPTED_FITS_STORED, handle_errors, print_error
from engine.cli.options import (
    DataOption,
    DebugOption,
    FreshOption,
    GridOption,
    JsonOption,
    OfflineOption,
    OverridesOption,
    QuietOption,
    StrategiesArgument,
    TriesElsewhereOption,
    VintageOption,
    WorkersOption,
    limit_blas_threads,
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import ask, print_json, print_text
from engine.cli.text_table import output_width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.backtest.sweep import Sweep
    from engine.core.progress import SweepProgress
    from engine.runs.run import Run


def run_command(
    context: typer.Context,
    strategies: StrategiesArgument,
    data: DataOption = None,
    set_: OverridesOption = None,
    grid: GridOption = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the runs: DIR/<strategy>/<run id>/.")
    ] = Path("reports"),
    workers: WorkersOption = None,
    executor: Annotated[
        Literal["local", "ray"] | None,
        typer.Option(help="Where training runs, instead of compute.executor of the strategy."),
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="A running Ray cluster, such as ray://head:10001. Default: Ray on this machine.",
        ),
    ] = None,
    offline: OfflineOption = False,
    vintage: VintageOption = None,
    tries_elsewhere: TriesElsewhereOption = None,
    fresh: FreshOption = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Run a sweep of more than 1,000 runs without being asked."),
    ] = False,
    no_pages: Annotated[
        bool,
        typer.Option(
            "--no-pages", help="Write no pages; `backtest report RUN_DIR` writes them later."
        ),
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Backtest a strategy, out of sample and after costs.

    Trains walk-forward, trades on bars after the training rows, compares with benchmarks and
    with chance, and writes a report.

    Several strategies, or a --grid of values, are a sweep: each is a run of its own, nothing is
    trained twice, one page compares them, and the best run is graded as the best of all trials.

    With `paths: {offsets: 8}` in the strategy the windows are also laid from seven later starts:
    that trains eight times as much, once. With `paths: {groups: 6, test_groups: 2}` the model is
    also fitted on each of 15 choices of four groups of bars, for 5 cross-validated paths.

    Progress goes to stderr, the result to stdout. Exit codes: 0 done, 1 the trial ledger is
    damaged, of a newer engine or another kind of file, or a page cannot be drawn, 2 the command
    line or the strategy is wrong, 3 data missing or unfit, 4 look-ahead detected, 5 a fit failed,
    130 interrupted. A sweep continues after a run that fails, and ends with the exit code of the
    first failure.
    """
    with handle_errors(debug=debug, interrupt_message=INTERRUPTED_FITS_STORED):
        limit_blas_threads()
        from engine.config import parse_grid, parse_overrides

        overrides = parse_overrides(set_ or ())
        named = {
            "compute.executor": executor,
            "compute.ray_address": ray_address,
            "trials.elsewhere": _parse_tries(tries_elsewhere),
        }
        overrides.update({key: value for key, value in named.items() if value is not None})
        grid_values = parse_grid(grid or ())
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
        is_single_run = len(strategies) == 1 and not grid_values
        max_runs = None if yes or is_single_run else _ask_for_runs(strategies, grid_values)
        with stderr_progress(quiet=quiet) as progress:
            execute = context.obj or _default_backtest()
            if is_single_run:
                result = execute(strategies[0], progress=progress, **options)
            else:
                options |= {"max_runs": max_runs}
                sweep = _run_sweep(strategies, grid_values, progress, execute, options)
        if is_single_run:
            _print_run(result, as_json=json)
        else:
            _print_sweep(sweep, as_json=json, debug=debug)


def _parse_tries(text: str | None) -> int | None:
    """The number that --tries-elsewhere gives; None without the option."""
    if text is None:
        return None
    from engine.backtest.declared_tries import declare_tries
    from engine.core.numbers import parse_whole_number

    try:
        number: object = parse_whole_number(text)
    except ValueError:
        number = text
    return declare_tries(number, "--tries-elsewhere", "--tries-elsewhere 40").elsewhere


def _ask_for_runs(strategies: Sequence[str], grid: Mapping[str, Sequence[object]]) -> int | None:
    """The bound on the runs of a sweep; None where a large one was confirmed on a terminal."""
    from engine.backtest.sweep import count_runs
    from engine.core.limits import MAX_SWEEP_RUNS

    count = count_runs(strategies, grid)
    is_confirmed = count > MAX_SWEEP_RUNS and ask(f"The sweep has {count:,} runs. Run them all?")
    return None if is_confirmed else MAX_SWEEP_RUNS


def _run_sweep(
    strategies: Sequence[str],
    grid: Mapping[str, Sequence[object]],
    progress: SweepProgress,
    execute: Callable[..., Run],
    options: Mapping[str, Any],
) -> Sweep:
    from engine.backtest import run_sweep

    return run_sweep(strategies, grid=grid, progress=progress, execute=execute, **options)


def _print_run(run: Run, *, as_json: bool) -> None:
    from engine.cli import run_summary

    if as_json:
        print_json(run_summary.run_document(run))
    else:
        print_text(run_summary.render_run_text(run, coloured=True))


def _print_sweep(sweep: Sweep, *, as_json: bool, debug: bool) -> None:
    """Results on stdout, failures on stderr; the first failure gives the exit code."""
    from engine.cli import sweep_summary

    if as_json:
        print_json(sweep_summary.sweep_document(sweep))
    else:
        print_text(sweep_summary.render_sweep_text(sweep, output_width(), coloured=True))
    codes = [
        print_error(error, debug=debug, failed_part=point.label) for point, error in sweep.failures
    ]
    if codes:
        raise typer.Exit(codes[0])


def _default_backtest() -> Callable[..., Run]:
    """The default runner of a strategy; `context.obj` replaces it in tests."""
    from engine import backtest

    return backtest.run
