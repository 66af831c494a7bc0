"""The trial ledger as tables, and tables as the bytes of a file."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from engine.evaluation.ledger import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.evaluation.ledger import Ledger

NESTED = ("strategy", "dataset", "targets", "inputs", "certificate")
WHOLE = dict.fromkeys(("number", "pid", "bars", "seeds", "tuning"), "Int64")
REAL = dict.fromkeys(("periods_per_year", "sharpe"), "float64")
RETURNS = ("number", "run_id", "name", "configuration", "timestamp", "return")


def of_runs(rows: Sequence[Row]) -> pd.DataFrame:
    """A row a run, every column of `Row`; what is no single value stays a tree."""
    names = [part.name for part in fields(Row)]
    table = pd.DataFrame([asdict(row) for row in rows], columns=names, dtype=object)
    return table.astype(WHOLE | REAL)


def of_returns(rows: Sequence[Row], ledger: Ledger) -> pd.DataFrame:
    """Long: a row a bar of each run that finished.

    Returns:
        number, run_id, name, configuration, timestamp (UTC), return (net, simple, of one bar).
    """
    held = ledger.returns([row.number for row in rows])
    blocks = [
        pd.DataFrame({"timestamp": returns.index, "return": returns.to_numpy()}).assign(
            number=row.number, run_id=row.run_id, name=row.name, configuration=row.configuration
        )
        for row in rows
        if (returns := held.get(row.number)) is not None
    ]
    if not blocks:
        return pd.DataFrame(columns=RETURNS)
    return pd.concat(blocks, ignore_index=True)[list(RETURNS)]


def as_bytes(table: pd.DataFrame, format_: Literal["csv", "json", "parquet"]) -> bytes:
    """The table as a file; in CSV and Parquet a tree is JSON in one cell.

    Floats keep every digit that tells them from another.
    """
    if format_ == "json":
        return (json.dumps(_records(table), indent=2, allow_nan=False) + "\n").encode()
    flat = table.copy()
    for name in set(flat.columns) & set(NESTED):
        flat[name] = [None if tree is None else json.dumps(tree) for tree in flat[name]]
    # A column of which nothing is known is text all the same.
    numbers = {*WHOLE, *REAL, "timestamp", "return"}
    flat = flat.astype({name: "str" for name in flat.columns if name not in numbers})
    if format_ == "csv":
        return flat.to_csv(index=False, lineterminator="\n").encode()
    made = io.BytesIO()
    flat.to_parquet(made, index=False)
    return made.getvalue()


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object).where(table.notna(), None)
    return [
        {str(name): _json(value) for name, value in row.items()}
        for row in plain.to_dict("records")
    ]


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, pd.Timestamp) else value
