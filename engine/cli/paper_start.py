"""`backtest paper start`, `stop` and `resume`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import (
    AccountArgument,
    DataOption,
    DebugOption,
    OfflineOption,
    OverridesOption,
    QuietOption,
    StrategyArgument,
    limit_blas_threads,
    number,
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_lines


def paper_start_command(
    strategy: StrategyArgument,
    account: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the new account: a-z 0-9 . _ -")
    ],
    capital: Annotated[
        str,
        typer.Option(
            metavar="X",
            help="Equity at the start, in the currency of the bars.",
        ),
    ],
    settings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file of settings, see docs/paper.md."),
    ] = None,
    missed: Annotated[
        Literal["skip", "fill_at_next_open"] | None,
        typer.Option(
            help="What becomes of an order that is decided after its price: none is placed, or "
            "the newest is filled at the next open. Default: skip.",
        ),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            parser=number,
            help="Seconds after its end in which a bar is not late, up to half an interval and an "
            "hour. Default: 30.",
        ),
    ] = None,
    feed: Annotated[
        Literal["poll", "websocket", "folder", "stdin"] | None,
        typer.Option(
            help="Where bars come from, instead of `feed` of the settings: requests (poll), "
            "candles that an exchange sends, files that grow, JSON lines. Default: poll.",
        ),
    ] = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SINK",
            help="Who is told, instead of `sinks` of the settings: stdout, or a mapping such as "
            "'{kind: file, path: signals.jsonl}'. Repeatable.",
        ),
    ] = None,
    data: DataOption = None,
    set_: OverridesOption = None,
    offline: OfflineOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Start a paper account; `backtest paper run` then lets it live.

    The strategy must have passed the leakage test of a run. All of it is written into the journal
    (accounts/journal.sqlite in BACKTEST_HOME), with the bars that are complete now: what happens
    to the files later changes nothing. The account holds nothing, and decides for the first time
    at the first bar that comes. Nothing is sent to a market.

    Exit codes: 0 done, 1 the journal cannot be used, 2 the command line or the strategy is wrong,
    3 data missing or unfit, 4 the strategy was not tested for look-ahead.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine.config import parse_overrides
        from engine.live.clock import SystemClock
        from engine.live.paper.account import parse_capital, start_account
        from engine.live.paper.settings import load_paper_settings
        from engine.live.sinks.option import parse_sinks
        from engine.strategy import load_strategy

        given = {
            "missed": missed,
            "grace_s": grace,
            "feed": {"kind": feed} if feed else None,
            "sinks": parse_sinks(sink) if sink else None,
        }
        with stderr_progress(quiet=quiet) as progress:
            started = start_account(
                load_strategy(Path(strategy), parse_overrides(set_ or ()), progress.notice),
                name=account,
                capital=parse_capital(capital),
                settings=load_paper_settings(
                    settings, {key: value for key, value in given.items() if value is not None}
                ),
                clock=SystemClock(),
                dataset=data,
                offline=offline,
                progress=progress,
            )
        print_lines(
            [
                f"account {started.name} started: {started.strategy} on {started.dataset}, "
                f"capital {started.capital:,.2f}",
                f"next: backtest paper run {started.name}",
            ]
        )


def paper_stop_command(account: AccountArgument, debug: DebugOption = False) -> None:
    """Stop an account: a process that runs it leaves it.

    Its journal stays, and `backtest paper resume` lets it be run again.

    Exit codes: 0 done, 1 the journal cannot be used, 2 there is no such account.
    """
    with handle_errors(debug=debug):
        from engine.live.clock import SystemClock
        from engine.live.paper.account import stop_account

        stopped = stop_account(account, SystemClock())
        print_lines([f"account {account} " + ("stopped" if stopped else "was stopped before")])


def paper_resume_command(account: AccountArgument, debug: DebugOption = False) -> None:
    """Let a stopped account be run again.

    The bars that came meanwhile are treated as its setting `missed` says.

    Exit codes: 0 done, 1 the journal cannot be used, 2 there is no such account.
    """
    with handle_errors(debug=debug):
        from engine.live.clock import SystemClock
        from engine.live.paper.account import resume_account

        resumed = resume_account(account, SystemClock())
        print_lines(
            [
                f"account {account} can be run again: backtest paper run {account}"
                if resumed
                else f"account {account} is not stopped"
            ]
        )
