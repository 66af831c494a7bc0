"""`backtest paper run`: lets paper accounts live."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, QuietOption, WorkersOption, limit_blas_threads
from engine.cli.progress import stderr_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from engine.core.progress import Progress


def paper_run_command(
    accounts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Accounts; by default all that are not stopped, also "
            "those that are started meanwhile.",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Decide the bars that are there now, and end: for cron.")
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="End then: an instant such as 2024-05-10T14:30 (UTC), or the end of a date.",
        ),
    ] = None,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Let paper accounts live: decide their bars as they come.

    One process runs many accounts. At each bar the features are updated, the model of the present
    window predicts, the orders due are filled, and the new decision is written into the journal,
    all of it in one transaction.
    However the process ends, it continues from there: Ctrl-C, kill, power failure. Another process
    cannot run the same account meanwhile. An account that cannot be run, or cannot go on, is told
    and left; the others live, and the exit code says so at the end. Nothing is sent to a market.

    Exit codes: 0 done, 1 the journal cannot be used, or the history of an account is missing, 2
    the command line is wrong, or an account cannot be run, 3 (--once) bars cannot be had, 5 a fit
    failed, 130 interrupted.
    """
    message = "interrupted; every bar that was decided is in the journal"
    with handle_errors(debug=debug, interrupt_message=message), _terminate_as_interrupt():
        limit_blas_threads()
        end = None if until is None else _parse_until(until)
        with stderr_progress(quiet=quiet) as progress:
            _run(accounts or [], progress, workers=workers, once=once, until=end)


def _run(
    names: list[str],
    progress: Progress,
    *,
    workers: int | None,
    once: bool,
    until: pd.Timestamp | None,
) -> None:
    from engine.core.home import backtest_home, prepare_home
    from engine.core.lazy_imports import settle_gc
    from engine.live.clock import SystemClock
    from engine.live.journal.journal import Journal
    from engine.live.journal.reader import no_account_error
    from engine.live.paper.account_runner import RunContext
    from engine.live.paper.overdue_bars import require_newest_bars
    from engine.live.paper.run import PaperRun

    home = backtest_home()
    with Journal.existing(home) as journal:
        prepare_home(home)
        chosen = names or journal.list_active()
        if not chosen:
            raise no_account_error(journal.path)
        context = RunContext(journal, home, SystemClock(), progress, workers)
        with PaperRun(context) as run:
            run.take(chosen)
            settle_gc()
            run.run(once=once, until=until, take_new=not names)
            if once:
                require_newest_bars(journal, run.names, context.clock)


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM, which `kill` and systemd send, ends the command as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parse_until(text: str) -> pd.Timestamp:
    from engine.core.calendar_time import parse_instant
    from engine.core.errors import UsageError

    instant = parse_instant(text)
    if instant is None:
        raise UsageError(
            "this is not a time",
            expected="a date such as 2024-05-10, or an instant such as 2024-05-10T14:30",
            found=text,
            where="--until",
            fix="write the time in this form; without --until it ends at Ctrl-C",
        )
    return instant
