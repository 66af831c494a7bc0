"""`backtest ledger`: every run that was ever begun, on a terminal and as files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.cli.columns import GRADES, STATES, Column, room, signed, table
from engine.cli.columns import show as printed
from engine.cli.failures import exit_codes
from engine.cli.options import Debug, Json  # noqa: TC001 - typer reads them

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.evaluation.ledger import Ledger, Row

ROOM_FOR_TIME = 100
"""Columns of a terminal from which the hour of a run is shown, and whole dates of its span."""
FAMILY_DIGITS = 8
"""Of a family's id in the table; `show` and `--json` have all of them."""
LISTED = (
    *(
        "number",
        "started_at",
        "ended_at",
        "status",
        "name",
        "configuration",
        "targets",
        "interval",
    ),
    *("first", "last", "bars", "sharpe", "grade", "run_id", "family", "error", "problem"),
)

Name = Annotated[
    str | None, typer.Option("--strategy", metavar="NAME", help="Only runs of this strategy.")
]
Target = Annotated[
    str | None, typer.Option(metavar="SYMBOL", help="Only runs that trade this symbol.")
]
Status = Annotated[
    Literal["finished", "failed", "interrupted", "running", "unknown"] | None,
    typer.Option(
        help="Only runs that ended so; unknown: begun on another machine, and never ended."
    ),
]

ledger = typer.Typer(
    help="The trial ledger: every run ever begun here.",
    no_args_is_help=True,
)


@ledger.command("list")
def list_runs(
    strategy: Name = None,
    target: Target = None,
    status: Status = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=0, help="Only the last N; 0 is all of them.")
    ] = 50,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List runs, the newest last."""
    with exit_codes(debug=debug):
        book = _ledger()
        every = book.rows()
        rows = _chosen(every, strategy, target, status)
        shown = rows[-limit:] if limit else rows
        if as_json:
            told = [{name: getattr(row, name) for name in LISTED} for row in shown]
            typer.echo(json.dumps(told, indent=2, allow_nan=False))
            return
        if shown:
            width = room()
            printed("\n".join(table(_columns(shown, width), width)))
        typer.echo(_sum(every, rows, shown, book.path))


@ledger.command()
def show(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="Number of a run, or a run id; of several with it the newest."
        ),
    ],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show all that is known of a run."""
    with exit_codes(debug=debug):
        from dataclasses import asdict

        row = _named(_ledger(), run)
        if as_json:
            typer.echo(json.dumps(asdict(row), indent=2, allow_nan=False))
        else:
            typer.echo("\n".join(_described(row)))


@ledger.command()
def export(
    format_: Annotated[
        Literal["csv", "json", "parquet"], typer.Option("--format", help="Kind of file.")
    ] = "csv",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to; to stdout where it is left out."),
    ] = None,
    returns: Annotated[
        bool,
        typer.Option(
            "--returns", help="A row a bar of each run that finished, instead of a row a run."
        ),
    ] = False,
    strategy: Name = None,
    target: Target = None,
    status: Status = None,
    debug: Debug = False,
) -> None:
    """Write runs to a file, for other programs to read."""
    with exit_codes(debug=debug):
        from engine.cli.tables import as_bytes, of_returns, of_runs

        book = _ledger()
        rows = _chosen(book.rows(), strategy, target, status)
        table = of_returns(rows, book) if returns else of_runs(rows)
        made = as_bytes(table, format_)
        if out is not None:
            _write(out, made)
            typer.echo(f"{len(table)} rows in {out}")
            return
        _require_no_terminal(format_)
        sys.stdout.buffer.write(made)


def _write(out: Path, made: bytes) -> None:
    from engine.errors import UsageError

    try:
        out.write_bytes(made)
    except OSError as error:
        raise UsageError(
            "the file cannot be written",
            expected="a file in a folder that is there and can be written",
            found=str(error),
            where=str(out),
        ) from None


def _require_no_terminal(format_: str) -> None:
    if format_ == "parquet" and sys.stdout.isatty():
        from engine.errors import UsageError

        raise UsageError(
            "Parquet is nothing to look at",
            expected="--out FILE, or a pipe",
            found="a terminal",
        )


def _ledger() -> Ledger:
    from engine.evaluation.ledger import Ledger

    home = Path(os.environ.get("BACKTEST_HOME") or ".backtest")
    return Ledger(home / "ledger.sqlite")


def _chosen(
    rows: Sequence[Row], strategy: str | None, target: str | None, status: str | None
) -> list[Row]:
    return [
        row
        for row in rows
        if strategy in {None, row.name}
        and status in {None, row.status}
        and (target is None or target in (row.targets or ()))
    ]


def _named(book: Ledger, run: str) -> Row:
    from engine.errors import UsageError

    # A run id may happen to be all digits; no ledger counts to twelve of them.
    rows = book.rows("run_id = ?", (run,)) or (
        book.rows("number = ?", (int(run),)) if run.isdecimal() and len(run) < 12 else []
    )
    if not rows:
        raise UsageError(
            "the ledger has no such run",
            expected="a number from `backtest ledger list`, or the id of a run that finished",
            found=run,
            where=str(book.path),
        )
    return rows[-1]


def _sum(every: Sequence[Row], rows: Sequence[Row], shown: Sequence[Row], path: Path) -> str:
    if not every:
        return f"no runs yet in {path}; `backtest run` writes the first"
    if not rows:
        return f"none of the {_runs(len(every))} in {path} is like that"
    if len(shown) < len(rows):
        return f"the last {len(shown)} of {_runs(len(rows))} in {path}; --limit 0 shows all"
    return f"{_runs(len(rows))} in {path}"


def _runs(count: int) -> str:
    return f"{count:,} run" if count == 1 else f"{count:,} runs"


def _columns(rows: Sequence[Row], width: int) -> list[Column]:
    """Names of strategies and symbols are cut where there is no room, before a column goes."""
    wide = width >= ROOM_FOR_TIME
    dated = [row.started_at.replace("T", " ")[: 16 if wide else 10] for row in rows]
    sharpe = ["-" if row.sharpe is None else f"{row.sharpe:.2f}" for row in rows]
    grades, states = [row.grade or "-" for row in rows], [row.status for row in rows]
    targets = [",".join(row.targets or ("-",)) for row in rows]
    columns = [
        Column(0, "Run", [str(row.number) for row in rows]),
        Column(7, "Began", dated, right=False),
        Column(3, "Status", states, right=False, colours=[STATES.get(s) for s in states]),
        Column(1, "Name", [row.name for row in rows], right=False, least=6),
        Column(5, "Target", targets, right=False, least=6),
        Column(6, "Out of sample", [_span(row, 10 if wide else 7) for row in rows], right=False),
        Column(2, "Sharpe", sharpe, colours=signed([row.sharpe for row in rows])),
        Column(4, "Grade", grades, right=False, colours=[GRADES.get(g) for g in grades]),
    ]
    if any(row.family for row in rows):
        families = [(row.family or "-")[:FAMILY_DIGITS] for row in rows]
        columns.append(Column(8, "Family", families, right=False))
    return columns


def _span(row: Row, length: int) -> str:
    if row.first is None or row.last is None:
        return "-"
    return f"{row.first[:length]}..{row.last[:length]}"


def _described(row: Row) -> list[str]:
    """A line a value that is known, then the strategy."""
    from dataclasses import fields

    told: dict[str, Callable[[Any], str]] = {
        "dataset": lambda dataset: f"{dataset['name']}{_stood_in(dataset)}",
        "targets": ", ".join,
        "inputs": ", ".join,
        "certificate": json.dumps,
    }
    lines = []
    for part in fields(row):
        value = getattr(row, part.name)
        if value is not None and value != "" and part.name != "strategy":
            lines.append(f"{part.name:<17}{told.get(part.name, str)(value)}")
    hashes = [
        f"{symbol:<17}{known['sha256']}"
        for symbol, known in (row.dataset or {}).get("symbols", {}).items()
    ]
    strategy = json.dumps(row.strategy, indent=2).splitlines()
    return [*lines, *(["", "sha256 of the bars", *hashes] if hashes else []), "", *strategy]


def _stood_in(dataset: dict[str, Any]) -> str:
    return " (offline stand-in)" if dataset.get("offline") else ""
