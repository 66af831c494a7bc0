"""`backtest paper replay`: the live path over the bars of a backtest, compared with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.errors import EXIT_UNEXPECTED, INTERRUPTED_FITS_STORED, handle_errors
from engine.cli.options import (
    DataOption,
    DebugOption,
    JsonOption,
    OfflineOption,
    OverridesOption,
    QuietOption,
    StrategyArgument,
    WorkersOption,
    limit_blas_threads,
    whole_number,
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_json, print_notice, print_text


def paper_replay_command(
    strategy: StrategyArgument,
    bars: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=whole_number(min=1),
            help="Replay the newest N bars, by an account that begins there; by default all "
            "out-of-sample bars, by the account of the run.",
        ),
    ] = None,
    data: DataOption = None,
    set_: OverridesOption = None,
    reports: Annotated[
        Path,
        typer.Option(
            "--out",
            "--reports",
            metavar="DIR",
            help="Folder of the runs: one of this strategy on these bars is compared too.",
        ),
    ] = Path("reports"),
    workers: WorkersOption = None,
    offline: OfflineOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare the live path with the backtest to the last bit.

    The live path is that of a paper account: it updates the features of each bar as it comes,
    predicts, decides and fills. Its forecasts, thresholds, weights, orders, fills and equity are
    compared to the last bit with those of `backtest run`, which come from all bars at once.
    Stored fits are used.

    Exit codes: 0 all values are equal, 1 one differs, a fault of the engine or of a part of your
    own, 2 the command line or the strategy is wrong, 3 data missing or unfit, 5 a fit failed,
    130 interrupted.
    """
    with handle_errors(debug=debug, interrupt_message=INTERRUPTED_FITS_STORED):
        limit_blas_threads()
        from engine.config import parse_overrides
        from engine.live.parity.strategy_replay import replay
        from engine.strategy import load_strategy

        overrides = parse_overrides(set_ or ())
        with stderr_progress(quiet=quiet) as progress:
            result = replay(
                load_strategy(Path(strategy), overrides, progress.notice),
                bars=bars,
                dataset=data,
                offline=offline,
                reports=reports,
                workers=workers,
                progress=progress,
            )
        if json:
            print_json(result.as_dict())
        else:
            from engine.cli.replay_summary import render_replay_text

            print_text(render_replay_text(result, coloured=True))
        if not result.is_equal:
            from engine.reporting.live_path import describe_culprit

            culprit = describe_culprit(result.own_parts)
            print_notice(f"the live path differs from the backtest. {culprit}.")
            raise typer.Exit(EXIT_UNEXPECTED)
