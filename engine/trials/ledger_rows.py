"""Reads the rows of a ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.trials.ledger_schema import open_ledger
from engine.trials.ledger_wait import ignore_wait
from engine.trials.liveness import process_state
from engine.trials.serialization import decode_returns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

_STATUS_OF_PROCESS_STATE = {"running": "running", "ended": "interrupted", "unknown": "unknown"}
_JSON_COLUMNS = ("strategy", "dataset", "targets", "inputs", "certificate")


@dataclass(frozen=True)
class LedgerRow:
    """One run: recorded when it began, when its bars were known, and when it ended.

    Values that were not recorded are None.

    Attributes:
        number: Run number in this ledger, from 1.
        started_at: UTC, ISO 8601.
        name: Name of the strategy.
        configuration: Hash of the configuration; see `hash_configuration`.
        strategy: Resolved strategy.
        command: Command line; empty where a program called the engine.
        family: Sweep id; None for a single run.
        engine: Version of the engine.
        host: Name of the machine.
        pid: Process id.
        dataset: `name`, `interval`, `calendar`, `offline`, and source, span and sha256 by symbol.
        interval: Length of a bar.
        targets: Symbols traded.
        inputs: Symbols that the features use.
        first: First out-of-sample bar, ISO 8601.
        last: Last out-of-sample bar.
        bars: Out-of-sample bars.
        periods_per_year: Bars a year.
        ended_at: UTC, ISO 8601.
        status: `finished`, `failed`, `interrupted`; `running` while its process runs; `unknown`
            where it began on another host and no end is recorded.
        error: Class of the error that it failed with.
        problem: Message of that error.
        run_id: Run id.
        seeds: Seeds per window.
        tuning: Configurations tried within the run, on train rows.
        sharpe: Annualised Sharpe ratio of the strategy.
        grade: Grade of the verdict.
        certificate: Result of the leakage test.
        hash: Of the newest row of this run in the chain; see `engine.trials.ledger_chain`.
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
    hash: str

    @property
    def confidence(self) -> float | None:
        """Confidence level that the run was judged at."""
        level = self.strategy.get("evaluation", {}).get("confidence")
        return None if level is None else float(level)

    @property
    def tries_elsewhere(self) -> int:
        """Declared number of tries that the ledger does not hold."""
        return int(self.strategy.get("trials", {}).get("elsewhere", 0))


_RETURNS = """
    SELECT outcomes.run, interval, targets, tuning, returns, holding
    FROM outcomes JOIN grounds ON grounds.run = outcomes.run
    WHERE outcomes.run IN (SELECT value FROM json_each(?)) AND returns IS NOT NULL
    ORDER BY outcomes.run
    """

_COLUMNS = ", ".join([*(part.name for part in fields(LedgerRow)), "process"])


def read_rows(
    path: Path,
    where: str = "",
    values: Sequence[object] = (),
    on_wait: Callable[[str], None] = ignore_wait,
) -> list[LedgerRow]:
    """The rows that satisfy an SQL condition, oldest first; none without a ledger file.

    Args:
        path: Path of the ledger.
        where: Condition on the columns of the view `ledger`, with `?` for each of `values`.
        values: Values in the order of the question marks.
        on_wait: As for `open_ledger`.

    Raises:
        LedgerError: The file is damaged, not a ledger, or of a newer version.
        LedgerUnreachableError: It cannot be read.
    """
    if not path.exists():
        return []
    condition = f"WHERE {where}" if where else ""
    with open_ledger(path, on_wait) as connection:
        records = connection.execute(
            f"SELECT {_COLUMNS} FROM ledger {condition} ORDER BY number",
            tuple(values),
        ).fetchall()
    return [_parse_row(record) for record in records]


@dataclass(frozen=True)
class RecordedReturns:
    """What a finished run earned, with the bars it was made on.

    Attributes:
        interval: Length of a bar.
        targets: Symbols traded.
        tuning: Configurations tried within the run.
        returns: Net returns of the strategy; index of UTC timestamps.
        holding: Those of buy and hold; None where the ledger was written before it held them.
    """

    interval: str
    targets: tuple[str, ...]
    tuning: int
    returns: pd.Series[float]
    holding: pd.Series[float] | None


def read_returns(
    path: Path, numbers: Sequence[int], on_wait: Callable[[str], None] = ignore_wait
) -> dict[int, RecordedReturns]:
    """Returns of finished runs by run number; unfinished runs have none.

    Args:
        path: Path of the ledger.
        numbers: Numbers of the runs.
        on_wait: As for `open_ledger`.

    Raises:
        LedgerError: As in `read_rows`; or the returns of a run are damaged.
        LedgerUnreachableError: The ledger cannot be read.
    """
    if not numbers:
        return {}
    with open_ledger(path, on_wait) as connection:
        records = connection.execute(_RETURNS, (json.dumps(list(numbers)),)).fetchall()
    decode = cache(decode_returns)  # runs on the same target and bars share those of holding
    return {
        record["run"]: RecordedReturns(
            interval=record["interval"],
            targets=tuple(json.loads(record["targets"])),
            tuning=record["tuning"] or 0,
            returns=decode(record["returns"]),
            holding=None if record["holding"] is None else decode(record["holding"]),
        )
        for record in records
    }


def _parse_row(record: sqlite3.Row) -> LedgerRow:
    row = {name: value for name, value in dict(record).items() if name != "process"}
    row |= {name: None if row[name] is None else json.loads(row[name]) for name in _JSON_COLUMNS}
    row |= {n: None if row[n] is None else tuple(row[n]) for n in ("targets", "inputs")}
    row["status"] = (
        row["status"]
        or _STATUS_OF_PROCESS_STATE[
            process_state(record["pid"], record["host"], record["process"])
        ]
    )
    return LedgerRow(**row)
