"""`scripts/bench certificate`: share of the leakage test in a run with every fit stored."""

from __future__ import annotations

import os
import statistics
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from program_timing import program_command, time_command
from rich.table import Table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

    from rich.console import Console

STRATEGIES = Path(__file__).parents[2] / "strategies"


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the strategies, the number of rounds and where fits are stored."""
    parser.add_argument("names", nargs="*", help="of files in strategies/; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home", type=Path, help="with stored fits; default: a new one")
    parser.add_argument("--no-pages", action="store_true", help="write no pages")


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Runs each strategy until no fit is trained, then some rounds more: these are measured.

    Processor time, of every thread and child process, pages and imports included: how busy the
    machine is with other work changes it little.
    """
    names = options.names or [path.stem for path in sorted(STRATEGIES.glob("*.yaml"))]
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    new_home = tempfile.TemporaryDirectory(prefix="benchmark-")
    with new_home if options.home is None else nullcontext(options.home) as home:
        settings = {"BACKTEST_HOME": os.fspath(home)}
        for turn in range(options.rounds + 1):
            for name in names:
                record = _run(name, settings, pages=not options.no_pages)
                spent, trained = record["certificate_s"], record["trained"]
                log(f"{name}, run {turn}: {spent:.2f} s, {trained} fits trained")
                if turn:
                    rows[name].append(record)
    return {"rows": {name: _summarise(records) for name, records in rows.items()}}


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a row a strategy."""
    table = Table(title="CPU seconds of a run with every fit stored, median of the rounds")
    for column in ("", "leakage test", "main process", "children", "% of all", "% of main"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in results["rows"].items():
        figures = (f"{row[key]:.2f}" for key in ("certificate_s", "main_s", "children_s"))
        shares = (f"{row[key]:.1f}" for key in ("share_pct", "main_share_pct"))
        table.add_row(name, *figures, *shares)
    console.print(table)


def _run(name: str, settings: Mapping[str, str], *, pages: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as out:
        command = program_command("certificate_run", STRATEGIES / f"{name}.yaml", out, int(pages))
        _, record = time_command(command, settings)
    return record


def _summarise(records: list[dict[str, float]]) -> dict[str, float]:
    """Medians over the rounds; shares of each round by itself."""
    shares = [
        {
            "share_pct": 100 * each["certificate_s"] / (each["main_s"] + each["children_s"]),
            "main_share_pct": 100 * each["certificate_s"] / each["main_s"],
        }
        for each in records
    ]
    rows = [each | share for each, share in zip(records, shares, strict=True)]
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}
