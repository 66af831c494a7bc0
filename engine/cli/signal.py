"""`backtest signal`: what a strategy says at the newest complete bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import INTERRUPTED_FITS_STORED, handle_errors
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
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_json, print_text

if TYPE_CHECKING:
    import pandas as pd


def signal_command(
    strategy: StrategyArgument,
    data: DataOption = None,
    set_: OverridesOption = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="What would have been said then: a date, which means its end, or an instant such "
            "as 2024-05-10T14:30 (UTC). Pulled bars are taken as they were pulled by then.",
        ),
    ] = None,
    workers: WorkersOption = None,
    offline: OfflineOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Say what a strategy holds next: forecast, target, orders.

    Pulls the bars that are missing, takes the stored models of the present window, and trains only
    where a window began. The figures are those of the last bar of `backtest run` on the same bars,
    bit for bit. Nothing is sent to a market.

    The strategy must have passed the leakage test of a run. Bars are refused where a later one is
    complete by the calendar of the dataset.

    Progress goes to stderr, the signal to stdout. Exit codes: 0 done, 1 the trial ledger is
    damaged, 2 the command line or the strategy is wrong, 3 data missing, unfit or too old, 4 the
    strategy was not tested for look-ahead, 5 a fit failed, 130 interrupted.
    """
    with handle_errors(debug=debug, interrupt_message=INTERRUPTED_FITS_STORED):
        limit_blas_threads()
        from engine.config import parse_overrides
        from engine.live import signal
        from engine.strategy import load_strategy

        instant = None if as_of is None else _parse_as_of(as_of)
        overrides = parse_overrides(set_ or ())
        with stderr_progress(quiet=quiet) as progress:
            result = signal(
                load_strategy(Path(strategy), overrides, progress.notice),
                dataset=data,
                offline=offline,
                as_of=instant,
                workers=workers,
                progress=progress,
            )
        if json:
            print_json(result.as_dict())
        else:
            from engine.cli.signal_summary import render_signal_text

            print_text(render_signal_text(result, coloured=True))


def _parse_as_of(text: str) -> pd.Timestamp:
    import pandas as pd

    from engine.core.calendar_time import parse_instant
    from engine.core.errors import UsageError

    instant, now = parse_instant(text), pd.Timestamp.now("UTC")
    if instant is None:
        raise UsageError(
            "this is not a time",
            expected="a date such as 2024-05-10, or an instant such as 2024-05-10T14:30",
            found=text,
            where="--as-of",
        )
    if instant.normalize() > now:
        raise UsageError(
            "what will be said is not known yet",
            expected=f"a time up to {now:%Y-%m-%d %H:%M} UTC",
            found=text,
            where="--as-of",
            fix="leave --as-of out for the newest bar",
        )
    return min(instant, now)
