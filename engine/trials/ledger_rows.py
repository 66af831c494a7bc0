"""The rows of a ledger, read."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from engine.trials.ledger_schema import open_ledger
from engine.trials.liveness import process_state
from engine.trials.serialization import decode_returns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

_STATUS_OF_PROCESS_STATE = {"running": "running", "gone": "interrupted", "unknown": "unknown"}
_JSON_COLUMNS = ("strategy", "dataset", "targets", "inputs", "certificate")


@dataclass(frozen=True)
class LedgerRow:
    """One run: what was known when it began, when its bars were read, and when it ended.

    What was never known is None.

    Attributes:
        number: Counts the runs of this ledger, from 1.
        started_at: UTC, ISO 8601.
        name: The strategy's.
        configuration: Hash of what the strategy tries; see `configuration`.
        strategy: Resolved.
        command: Of the command line; empty where a program called the engine.
        family: Of the runs that were begun together, from one command; None where it ran alone.
        engine: Version.
        host: Where it ran.
        pid: Number of its process.
        dataset: `name`, `interval`, `calendar`, `offline`, and source, span and sha256 by symbol.
        interval: Length of a bar.
        targets: Symbols that were traded.
        inputs: Symbols that fed the model.
        first: First out-of-sample bar, ISO 8601.
        last: Last out-of-sample bar.
        bars: Out-of-sample bars.
        periods_per_year: Bars a year.
        ended_at: UTC, ISO 8601.
        status: `finished`, `failed`, `interrupted`; `running` while the process that began it is
            there; `unknown` where it began on another host and never told how it ended.
        error: Class of the error it failed with.
        problem: What that error said.
        run_id: Of the run folder.
        seeds: Fits a window.
        tuning: Configurations tried within the run, on train rows.
        sharpe: Of the strategy, a year.
        grade: Of the evidence.
        certificate: Result of the leak certificate.
    """

    number: int
    started_at: str
    name: str
    configuration: str
    strategy: dict[str, Any]
    command: str
    family: str | None
    engine: str
    host: str
    pid: int
    dataset: dict[str, Any] | None
    interval: str | None
    targets: tuple[str, ...] | None
    inputs: tuple[str, ...] | None
    first: str | None
    last: str | None
    bars: int | None
    periods_per_year: float | None
    ended_at: str | None
    status: str
    error: str | None
    problem: str | None
    run_id: str | None
    seeds: int | None
    tuning: int | None
    sharpe: float | None
    grade: str | None
    certificate: Any

    @property
    def trial_key(self) -> tuple[str, tuple[str, ...] | None]:
        """What tells one trial on a target from another: the same rules on the same inputs."""
        return self.configuration, self.inputs


_COLUMNS = ", ".join([*(part.name for part in fields(LedgerRow)), "process"])


def read_rows(path: Path, where: str = "", values: Sequence[object] = ()) -> list[LedgerRow]:
    """Every row for which a condition of SQL holds, the oldest first; none without a ledger.

    Args:
        path: The ledger.
        where: Over the columns of the view `ledger`, with `?` for each of `values`.
        values: In the order of the question marks.

    Raises:
        LedgerError: The file is damaged, no ledger, or of a newer version.
        LedgerUnreachableError: It cannot be read.
    """
    if not path.exists():
        return []
    condition = f"WHERE {where}" if where else ""
    with open_ledger(path) as connection:
        found = connection.execute(
            f"SELECT {_COLUMNS} FROM ledger {condition} ORDER BY number",
            tuple(values),
        ).fetchall()
    return [_parse_row(row) for row in found]


def read_returns(path: Path, numbers: Sequence[int]) -> dict[int, pd.Series[float]]:
    """Net returns of the strategy, by run; a run that did not finish has none.

    Raises:
        LedgerError: As `read_rows`; or the returns of a run are damaged.
        LedgerUnreachableError: The ledger cannot be read.
    """
    if not numbers:
        return {}
    with open_ledger(path) as connection:
        held = [
            (number, row[0])
            for number in numbers
            for row in connection.execute("SELECT returns FROM outcomes WHERE run = ?", (number,))
        ]
    return {number: decode_returns(blob) for number, blob in held if blob is not None}


def _parse_row(record: sqlite3.Row) -> LedgerRow:
    told = {name: record[name] for name in record.keys() if name != "process"}  # noqa: SIM118
    told |= {
        name: None if told[name] is None else json.loads(told[name]) for name in _JSON_COLUMNS
    }
    told |= {n: None if told[n] is None else tuple(told[n]) for n in ("targets", "inputs")}
    told["status"] = (
        told["status"]
        or _STATUS_OF_PROCESS_STATE[
            process_state(record["pid"], record["host"], record["process"])
        ]
    )
    return LedgerRow(**told)
