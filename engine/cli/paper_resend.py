"""`backtest paper resend`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import AccountArgument, DebugOption, JsonOption
from engine.cli.terminal import print_json, print_lines, print_notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.live.paper.resend import Resent


def paper_resend_command(
    account: AccountArgument,
    sink: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this sink. Default: every sink of the account."),
    ] = None,
    all_: Annotated[
        bool,
        typer.Option(
            "--all/--dead",
            help="Every message that was sent or given up, or dead letters only: messages that "
            "were given up and not delivered since.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing; list what would be sent.")
    ] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Send messages of a paper account to its sinks again.

    Each message is tried once, with the key that it had before, so that a receiver knows one that
    it has. A sink that does not take three messages in a row is left, and the rest stays as it is.
    Where a sink is standard output, that has its messages, and the report is on stderr.

    Exit codes: 0 done, 1 the journal cannot be used, 2 there is no such account or sink, or a
    secret is missing, 3 a sink did not take a message.
    """
    with handle_errors(debug=debug):
        from dataclasses import asdict

        from engine.live.clock import SystemClock
        from engine.live.paper.resend import resend_messages

        resent = resend_messages(
            account, clock=SystemClock(), sink=sink, every=all_, dry_run=dry_run
        )
        if any(row.kind == "stdout" and row.outcome == "delivered" for row in resent):
            # The messages themselves are on standard output.
            print_notice("\n".join(map(_format_row, resent)))
        elif json:
            print_json([asdict(row) for row in resent])
        else:
            nothing = f"account {account} has nothing to send again"
            print_lines(list(map(_format_row, resent)) or [nothing])
        _require_delivered(account, resent)


def _format_row(row: Resent) -> str:
    reason = f" ({row.reason})" if row.reason else ""
    return f"{row.sink}  {row.outcome}{reason}  {row.key}"


def _require_delivered(account: str, resent: Sequence[Resent]) -> None:
    from engine.core.errors import UnreachableError

    failed = [row for row in resent if row.outcome in {"dead", "skipped"}]
    if failed:
        raise UnreachableError(
            f"{len(failed)} of {len(resent)} messages were not delivered",
            expected="sinks that take every message",
            found="; ".join(sorted({row.reason for row in failed if row.reason})),
            where=f"account {account}, sink " + ", ".join(sorted({row.sink for row in failed})),
            fix=f"repair the receiver, then: backtest paper resend {account}",
        )
