"""`backtest ledger verify` and `backtest ledger merge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption
from engine.cli.terminal import print_json, print_lines, print_notice
from engine.core.home import LEDGER_FILE, backtest_home

if TYPE_CHECKING:
    from engine.trials import Ledger
    from engine.trials.ledger_chain import ChainCheck

SHOWN_DIGITS = 12
"""Digits of a hash that a line shows; `--json` has all of them."""


def ledger_verify_command(
    noted: Annotated[
        str | None,
        typer.Option(
            metavar="HASH",
            help="A hash noted earlier, at least its first 12 digits: the ledger must have it.",
        ),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Find a run that was changed, removed or inserted past the engine."""
    with handle_errors(debug=debug):
        from dataclasses import asdict

        ledger = _open_ledger()
        check = ledger.check_chain(_parse_hash(noted))
        if as_json:
            print_json(asdict(check) | {"intact": check.is_intact})
        elif check.is_intact:
            print_lines(_describe(check, ledger.path))
        _require_intact(check, noted, ledger.path)


def ledger_merge_command(
    other: Annotated[Path, typer.Argument(metavar="FILE", help="Another `ledger.sqlite`.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Add the runs of another ledger, so that its tries are counted too."""
    with handle_errors(debug=debug):
        from dataclasses import asdict

        ledger = _open_ledger()
        result = ledger.merge(other)
        if as_json:
            print_json(asdict(result))
            return
        print_lines(
            [
                f"{_count(result.added)} added to {ledger.path}, {result.completed:,} completed, "
                f"{result.known:,} known before"
            ]
        )


def _parse_hash(noted: str | None) -> str | None:
    from engine.core.errors import UsageError

    if noted is None:
        return None
    digits = noted.lower()
    if not SHOWN_DIGITS <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
        raise UsageError(
            "this is not a hash of the ledger",
            expected=f"{SHOWN_DIGITS} to 64 hexadecimal digits, as `backtest ledger verify` "
            "prints them",
            found=noted,
            where="--noted",
        )
    return digits


def _describe(check: ChainCheck, path: Path) -> list[str]:
    if not check.runs:
        return [f"no runs yet in {path}"]
    lines = [
        f"{_count(check.runs)} in {path}: {check.rows:,} rows agree with their hashes",
        f"newest hash  {check.head}",
    ]
    if check.chained_later:
        lines.append(
            f"{check.chained_later:,} of the rows are older than the hashes: nothing is known of "
            "changes before the first newer run"
        )
    if check.noted:
        lines.append("the noted hash is one of them")
    return lines


def _require_intact(check: ChainCheck, noted: str | None, path: Path) -> None:
    from engine.core.errors import LedgerError

    if check.first_break is not None:
        raise LedgerError(
            "the trial ledger was changed past the engine",
            expected="rows that agree with their hashes",
            found=check.first_break.sentence,
            where=str(path),
            fix="compare it with a backup; what was counted from this ledger since is in doubt",
        )
    if check.noted is False:
        raise LedgerError(
            "the trial ledger does not have the noted hash",
            expected=f"{noted} among the hashes of {check.rows:,} rows",
            found=f"newest hash {check.head[:SHOWN_DIGITS]}",
            where=str(path),
            fix="the rows since were removed or written anew, or the hash is of another ledger: "
            "compare it with a backup",
        )


def _open_ledger() -> Ledger:
    from engine.trials import Ledger

    return Ledger(backtest_home() / LEDGER_FILE, print_notice)


def _count(runs: int) -> str:
    return f"{runs:,} run" if runs == 1 else f"{runs:,} runs"
