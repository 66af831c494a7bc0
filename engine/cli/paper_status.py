"""`backtest paper status` and `history`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption, whole_number
from engine.cli.terminal import print_json, print_lines, print_text

if TYPE_CHECKING:
    from engine.live.journal.reader import JournalReader
    from engine.live.paper.status import PaperStatus


def paper_status_command(
    account: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One account; all by default.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say how paper accounts stand.

    Of each: since when it lives, the newest bar that it decided, equity, positions, orders that
    wait, and whether a process runs it. Of one account also its newest events, the comparison with
    the backtest, and whether the rows of its journal follow from each other. --json prints one
    object, or a list of them where no account is named.

    Exit codes: 0 done, 1 the journal cannot be used or contradicts itself, 2 there is no such
    account.
    """
    with handle_errors(debug=debug):
        from engine.cli.paper_status_text import render_status, render_statuses
        from engine.core.errors import JournalError
        from engine.core.home import backtest_home

        found = _read_statuses(account, backtest_home())
        if as_json:
            documents = [each.as_dict() for each in found]
            print_json(documents[0] if account else documents)
        else:
            print_text(render_status(found[0]) if account else render_statuses(found))
        if account and found[0].problems:
            raise JournalError(
                "the journal of the account contradicts itself",
                expected="rows that follow from each other",
                found="; ".join(found[0].problems[:5]),
                where=f"account {account}",
                fix="restore a backup of the folder accounts, or start another account",
            )


def paper_history_command(
    account: Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")],
    limit: Annotated[
        int,
        typer.Option(
            metavar="N", parser=whole_number(min=0), help="Only the last N bars; 0 for all."
        ),
    ] = 20,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table with all columns to this file."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List what a paper account decided, bar by bar.

    Forecasts, targets, orders, fills and equity. --json prints one object with the tables of the
    journal: `bars`, `decisions`, `orders`, `fills`, `equity`, `events`; money and units are those
    of the account.

    Exit codes: 0 done, 1 the journal cannot be used, 2 there is no such account, or the file
    cannot be written.
    """
    with handle_errors(debug=debug):
        from engine.cli.paper_history_text import render_history, write_history_csv
        from engine.core.home import backtest_home
        from engine.live.paper.history import paper_history

        with _open_journal(backtest_home()) as reader:
            history = paper_history(reader, reader.account(account), limit)
        if csv is not None:
            write_history_csv(csv, history)
            print_lines([str(csv)])
        elif as_json:
            print_json(history.as_dict())
        else:
            print_text(render_history(history))


def _read_statuses(account: str | None, home: Path) -> list[PaperStatus]:
    """Of one account, or of all; none where no account was started."""
    from engine.live.clock import SystemClock
    from engine.live.journal.file import journal_path
    from engine.live.paper.status import paper_status

    if account is None and not journal_path(home).exists():
        return []
    clock = SystemClock()
    with _open_journal(home) as reader:
        rows = [reader.account(account)] if account else list(reader.list_accounts())
        return [paper_status(reader, row, home, clock, check=account is not None) for row in rows]


def _open_journal(home: Path) -> JournalReader:
    from engine.live.journal.file import journal_path
    from engine.live.journal.reader import JournalReader, no_account_error

    reader = JournalReader.of_home(home)
    if reader is None:
        raise no_account_error(journal_path(home))
    return reader
