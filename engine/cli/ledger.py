"""`backtest ledger`: lists, shows and exports the runs of the trial ledger."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption, whole_number
from engine.cli.terminal import print_json, print_lines, print_notice, print_text
from engine.cli.text_table import (
    GRADE_COLOURS,
    STATUS_COLOURS,
    TextTableColumn,
    output_width,
    render_table,
    sign_colours,
)
from engine.core.home import LEDGER_FILE, backtest_home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.trials import Ledger, LedgerRow

MIN_WIDTH_FOR_TIME = 100
"""Width of the terminal from which start times and full dates are shown."""
SWEEP_ID_DIGITS = 8
"""Digits of a sweep id in the table; `ledger show` and `--json` have all of them."""
LISTED_COLUMNS = (
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
    *("first", "last", "bars", "sharpe", "grade", "confidence", "tries_elsewhere", "run_id"),
    *("family", "error", "problem"),
)

StrategyFilter = Annotated[
    str | None, typer.Option("--strategy", metavar="NAME", help="Only runs of this strategy.")
]
TargetFilter = Annotated[
    str | None, typer.Option(metavar="SYMBOL", help="Only runs that trade this symbol.")
]
StatusFilter = Annotated[
    Literal["finished", "failed", "interrupted", "running", "unknown"] | None,
    typer.Option(
        help="Only runs with this status; unknown: started on another machine, and not ended."
    ),
]

ledger_app = typer.Typer(
    help="The trial ledger: every run started here, failed ones included.",
    no_args_is_help=True,
)


@ledger_app.command("list")
def ledger_list_command(
    strategy: StrategyFilter = None,
    target: TargetFilter = None,
    status: StatusFilter = None,
    limit: Annotated[
        int,
        typer.Option(
            metavar="N", parser=whole_number(min=0), help="Only the last N runs; 0 for all."
        ),
    ] = 50,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List runs, newest last."""
    with handle_errors(debug=debug):
        ledger = _open_ledger()
        all_rows = ledger.rows()
        rows = _filter_rows(all_rows, strategy, target, status)
        shown = rows[-limit:] if limit else rows
        if as_json:
            records = [{name: getattr(row, name) for name in LISTED_COLUMNS} for row in shown]
            print_json(records)
            return
        if shown:
            width = output_width()
            print_lines(render_table(_table_columns(shown, width), width))
        print_lines([_summary_line(all_rows, rows, shown, ledger.path)])


@ledger_app.command("show")
def ledger_show_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="Number of a run, or a run id; the newest run with that id."
        ),
    ],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the whole record of a run."""
    with handle_errors(debug=debug):
        from dataclasses import asdict

        from engine.cli.ledger_record import (
            format_looks,
            format_registration,
            format_run,
            format_unsealing,
        )
        from engine.trials.looks import count_idea_looks

        ledger = _open_ledger()
        row = _find_row(ledger, run)
        looks = ledger.looks_at_idea(row.configuration)
        registered = ledger.declarations(row.configuration, "registration")
        unsealed = ledger.declarations(row.configuration, "unsealing")
        if as_json:
            counts = asdict(count_idea_looks(looks)) if looks else None
            declared = {"registrations": registered, "unsealings": unsealed}
            told = {name: [asdict(one) for one in each] for name, each in declared.items()}
            print_json(asdict(row) | {"idea": counts} | told)
        else:
            lines = [*format_looks(looks), *map(format_registration, registered)]
            lines += map(format_unsealing, unsealed)
            print_lines([*format_run(row), "", *lines])


@ledger_app.command("export")
def ledger_export_command(
    format_: Annotated[
        Literal["csv", "json", "parquet", "sqlite"],
        typer.Option("--format", help="File format; sqlite copies the whole ledger, to --out."),
    ] = "csv",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Output file. Default: stdout."),
    ] = None,
    returns: Annotated[
        bool,
        typer.Option(
            "--returns", help="One row per bar of each finished run, instead of one row per run."
        ),
    ] = False,
    strategy: StrategyFilter = None,
    target: TargetFilter = None,
    status: StatusFilter = None,
    debug: DebugOption = False,
) -> None:
    """Export runs as CSV, JSON or Parquet."""
    with handle_errors(debug=debug):
        from engine.cli.ledger_export import build_returns_table, build_runs_table, encode_table
        from engine.core.storage import translate_disk_faults, write_file
        from engine.core.writable import OutputPlace

        place = OutputPlace("the file", "name another file with --out")
        if out is not None:
            place.require_file(out)
        ledger = _open_ledger()
        if format_ == "sqlite":
            filters = {"--strategy": strategy, "--target": target, "--status": status}
            _copy_whole(ledger, out, {**filters, "--returns": returns or None})
            return
        rows = _filter_rows(ledger.rows(), strategy, target, status)
        table = build_returns_table(rows, ledger) if returns else build_runs_table(rows)
        content = encode_table(table, format_)
        if out is not None:
            with translate_disk_faults("the file cannot be written", out, place.otherwise):
                write_file(out, content)
            print_lines([f"{len(table)} rows in {out}"])
            return
        _forbid_terminal_output(format_)
        if sys.stdout.isatty():
            print_text(content.decode(), nl=False)
        else:
            sys.stdout.buffer.write(content)


def _copy_whole(ledger: Ledger, out: Path | None, filters: dict[str, object]) -> None:
    """Copies the ledger with its hash chain, which a part of the rows would break."""
    from engine.core.errors import UsageError

    given = [name for name, value in filters.items() if value is not None]
    if out is None or out.exists() or given:
        raise UsageError(
            "a copy of the ledger is the whole of it, in a new file",
            expected="--format sqlite --out FILE, no such file, and no filter",
            found=", ".join(given) or ("no --out" if out is None else f"{out} is there"),
        )
    print_lines([f"{_count_runs(ledger.copy(out))} in {out}"])


def _forbid_terminal_output(format_: str) -> None:
    if format_ == "parquet" and sys.stdout.isatty():
        from engine.core.errors import UsageError

        raise UsageError(
            "Parquet is a binary format and is not printed on a terminal",
            expected="--out FILE, or a pipe",
            found="a terminal",
        )


def _open_ledger() -> Ledger:
    from engine.trials import Ledger

    return Ledger(backtest_home() / LEDGER_FILE, print_notice)


def _filter_rows(
    rows: Sequence[LedgerRow], strategy: str | None, target: str | None, status: str | None
) -> list[LedgerRow]:
    return [
        row
        for row in rows
        if strategy in {None, row.name}
        and status in {None, row.status}
        and (target is None or target in (row.targets or ()))
    ]


def _find_row(ledger: Ledger, run: str) -> LedgerRow:
    from engine.core.errors import UsageError

    # A run id of twelve digits may be decimal; run numbers have fewer digits.
    rows = ledger.rows("run_id = ?", (run,)) or (
        ledger.rows("number = ?", (int(run),)) if re.fullmatch("[0-9]{1,11}", run) else []
    )
    if not rows:
        raise UsageError(
            "the ledger has no such run",
            expected="a number from `backtest ledger list`, or the id of a run that finished",
            found=run,
            where=str(ledger.path),
        )
    return rows[-1]


def _summary_line(
    all_rows: Sequence[LedgerRow],
    rows: Sequence[LedgerRow],
    shown: Sequence[LedgerRow],
    path: Path,
) -> str:
    if not all_rows:
        return f"no runs yet in {path}; `backtest run` writes the first"
    if not rows:
        return f"none of the {_count_runs(len(all_rows))} in {path} matches the filters"
    if len(shown) < len(rows):
        return f"the last {len(shown)} of {_count_runs(len(rows))} in {path}; --limit 0 shows all"
    return f"{_count_runs(len(rows))} in {path}"


def _count_runs(count: int) -> str:
    return f"{count:,} run" if count == 1 else f"{count:,} runs"


def _table_columns(rows: Sequence[LedgerRow], width: int) -> list[TextTableColumn]:
    """Names and symbols are truncated before a column is left out."""
    is_wide = width >= MIN_WIDTH_FOR_TIME
    started = [row.started_at.replace("T", " ")[: 16 if is_wide else 10] for row in rows]
    sharpe = ["-" if row.sharpe is None else f"{row.sharpe:.2f}" for row in rows]
    grades, states = [row.grade or "-" for row in rows], [row.status for row in rows]
    targets = [",".join(row.targets or ("-",)) for row in rows]
    columns = [
        TextTableColumn(0, "Run", [str(row.number) for row in rows]),
        TextTableColumn(7, "Started", started, align_right=False),
        TextTableColumn(
            3, "Status", states, align_right=False, colours=[STATUS_COLOURS.get(s) for s in states]
        ),
        TextTableColumn(1, "Name", [row.name for row in rows], align_right=False, min_width=6),
        TextTableColumn(5, "Target", targets, align_right=False, min_width=6),
        TextTableColumn(
            6,
            "Out of sample",
            [_format_span(row, 10 if is_wide else 7) for row in rows],
            align_right=False,
        ),
        TextTableColumn(2, "Sharpe", sharpe, colours=sign_colours([row.sharpe for row in rows])),
        TextTableColumn(
            4, "Grade", grades, align_right=False, colours=[GRADE_COLOURS.get(g) for g in grades]
        ),
    ]
    levels = ["-" if row.confidence is None else f"{row.confidence:g}" for row in rows]
    if len({*levels, "-"}) > 2:
        columns.append(TextTableColumn(9, "Confidence", levels))
    if any(row.family for row in rows):
        sweeps = [(row.family or "-")[:SWEEP_ID_DIGITS] for row in rows]
        columns.append(TextTableColumn(8, "Sweep", sweeps, align_right=False))
    return columns


def _format_span(row: LedgerRow, length: int) -> str:
    if row.first is None or row.last is None:
        return "-"
    return f"{row.first[:length]}..{row.last[:length]}"
