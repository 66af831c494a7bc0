"""CPU time that a trial ledger with many runs adds to the evaluation of one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.core.hashing import canonical_json
from engine.strategy import load_strategy
from engine.trials import DataScope, RunOutcome, hash_configuration
from engine.trials.ledger_schema import ledger_transaction
from engine.trials.trial_collection import OwnRun, collect_trials

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

LOOKS = 50
"""Ideas on bars that overlap with the run's; the other rows repeat them or do not count."""

ENDS = {"look": 0.40, "earlier": 0.35, "failed": 0.15, "killed": 0.10}
"""Share of the rows that finished on these bars, on earlier ones, failed, or never ended."""

DAY = "2026-01-01T00:00:00.000+00:00"


def time_ledger(
    strategy_file: Path, folder: Path, rows: int, bars: int, rounds: int
) -> tuple[list[float], int]:
    """CPU seconds in which a run collects its trials, round by round, and their number.

    Args:
        strategy_file: A strategy; its resolved form is in every row, with other seeds.
        folder: Where the ledger is written.
        rows: Runs in the ledger.
        bars: Out-of-sample bars of each.
        rounds: Number of measurements.
    """
    path = folder / "ledger.sqlite"
    strategy = load_strategy(strategy_file).model_dump(mode="json")
    _write_ledger(path, strategy, rows, bars)
    scope = _make_scope("2019-01-01", bars)
    own = OwnRun(
        strategy | {"seed": LOOKS}, scope, *_draw_returns(np.random.default_rng(1), scope)
    )
    seconds, distinct = [], 0
    for _ in range(rounds):
        start = time.process_time()
        distinct = collect_trials(path, own).distinct
        seconds.append(time.process_time() - start)
    return seconds, distinct


def _write_ledger(path: Path, strategy: Mapping[str, Any], rows: int, bars: int) -> None:
    rng = np.random.default_rng(0)
    scopes = {"earlier": _make_scope("1990-01-01", bars)}
    scope = _make_scope("2019-01-01", bars)
    outcomes = [
        RunOutcome(f"{seed:012x}", returns, 0.5, 1, holding).as_row()
        for seed in range(LOOKS)
        for returns, holding in [_draw_returns(rng, scope)]
    ]
    ends = rng.choice(list(ENDS), size=rows, p=list(ENDS.values()))
    seeds = rng.integers(LOOKS, size=rows)
    with ledger_transaction(path) as connection:
        for number, (end, seed) in enumerate(zip(map(str, ends), seeds.tolist(), strict=True), 1):
            configured = strategy | {"seed": seed}
            _insert(
                connection,
                "runs",
                {
                    "number": number,
                    "started_at": DAY,
                    "name": strategy["name"],
                    "configuration": hash_configuration(configured),
                    "strategy": canonical_json(configured),
                    "command": "",
                    "engine": "",
                    "host": "",
                    "pid": number,
                },
            )
            _insert(connection, "grounds", {"run": number} | scopes.get(end, scope).as_row())
            if end == "failed":
                _insert(
                    connection, "outcomes", {"run": number, "ended_at": DAY, "status": "failed"}
                )
            elif end != "killed":
                ended = {"run": number, "ended_at": DAY, "status": "finished"}
                _insert(connection, "outcomes", ended | outcomes[seed])


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)


def _make_scope(first: str, bars: int) -> DataScope:
    span = pd.date_range(first, periods=bars, freq="D", tz="UTC", name="timestamp")
    symbols = {f"SYMBOL-{number}": {"sha256": f"{number}" * 64} for number in range(5)}
    dataset = {"name": "made-up", "interval": "1d", "offline": False, "symbols": symbols}
    return DataScope(dataset, ("SYMBOL-0",), tuple(symbols), span, 365.0)


def _draw_returns(
    rng: np.random.Generator, scope: DataScope
) -> tuple[pd.Series[float], pd.Series[float]]:
    draws = 0.01 * rng.standard_normal((2, len(scope.span)))
    strategy, holding = (pd.Series(each, index=scope.span) for each in draws)
    return strategy, holding
