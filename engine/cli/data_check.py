"""`backtest data check`."""

from __future__ import annotations

import json as json_
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.columns import SEVERITIES, painted, prose
from engine.cli.columns import show as printed
from engine.cli.failures import exit_codes
from engine.cli.options import DatasetName, Debug, Json, Quiet  # noqa: TC001 - typer reads them
from engine.cli.progress import told_on_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.check import Checked
    from engine.data.quality.findings import Finding, Repaired

_INDENT = " " * 7


def check(
    dataset: DatasetName,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use files and cached bars; no network.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Ask every quality rule about the bars of a dataset.

    A run does the same before it begins: errors stop it, warnings are told. docs/data-quality.md
    lists the rules, their thresholds and the repairs that a dataset can ask for.

    Exit codes: 0 nothing is an error, 2 the manifest is wrong, 3 an error was found or the bars
    cannot be had.
    """
    with exit_codes(debug=debug):
        from engine.data.check import check_dataset

        home = Path(os.environ.get("BACKTEST_HOME") or ".backtest")
        with told_on_stderr(quiet=quiet) as progress:
            checked = check_dataset(dataset, home=home, offline=offline, progress=progress)
        if json:
            typer.echo(_as_json(checked))
        else:
            printed("\n".join(_as_text(checked, prose())))
        if not checked.sound:
            raise typer.Exit(3)


def _as_json(checked: Checked) -> str:
    told = {
        "dataset": checked.manifest.dataset.name,
        "bars": checked.bars,
        "findings": [finding.as_json() for finding in checked.findings],
        "repairs": [done.as_json() for done in checked.repaired],
    }
    return json_.dumps(told, indent=2, allow_nan=False)


def _as_text(checked: Checked, width: int) -> Iterator[str]:
    for symbol, bars in checked.bars.items():
        repaired = [done for done in checked.repaired if done.symbol == symbol]
        found = [finding for finding in checked.findings if finding.symbol == symbol]
        state = "unfit for a run" if bars is None else f"{bars} bars"
        clean = "" if found or repaired else ", nothing found"
        yield f"{symbol}: {state}{clean}"
        for done in repaired:
            yield _line("repair", done, width)
            yield from _wrapped(f"{done.repair}: {done.sentence}", width)
        for finding in found:
            yield _line(finding.severity, finding, width)
            offered = f"; repair: {finding.repair}" if finding.repair else ""
            yield from _wrapped(finding.sentence + offered, width)
            if finding.advice:
                yield from _wrapped(finding.advice, width)
    yield _summary(checked)


def _line(kind: str, told: Finding | Repaired, width: int) -> str:
    """Kind, rule, bars, first and last, as far as there is room."""
    first, last = told.first or "", told.last or ""
    line = f"{kind:<6} {told.rule:<22} {told.count:>8}"
    for moment in (f"  {first:<16}", f"  {last}"):
        line += moment if len(line) + len(moment.rstrip()) < width else ""
    return painted(kind, SEVERITIES.get(kind)) + line.rstrip()[len(kind) :]


def _wrapped(sentence: str, width: int) -> Iterator[str]:
    yield from textwrap.wrap(
        sentence,
        width - 1,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _summary(checked: Checked) -> str:
    errors = sum(finding.severity == "error" for finding in checked.findings)
    warnings = len(checked.findings) - errors
    repairs = f", {len(checked.repaired)} repaired" if checked.repaired else ""
    counted = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
    return f"{checked.manifest.dataset.name}: {counted}{repairs}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
