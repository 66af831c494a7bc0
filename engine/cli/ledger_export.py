"""The trial ledger as tables, and tables as the bytes of a file."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from engine.trials import LedgerRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.trials import Ledger

NESTED_COLUMNS = ("strategy", "dataset", "targets", "inputs", "certificate")
INTEGER_COLUMNS = dict.fromkeys(("number", "pid", "bars", "seeds", "tuning"), "Int64")
FLOAT_COLUMNS = dict.fromkeys(("periods_per_year", "sharpe"), "float64")
RETURN_COLUMNS = ("number", "run_id", "name", "configuration", "timestamp", "return")


def build_runs_table(rows: Sequence[LedgerRow]) -> pd.DataFrame:
    """A row a run, every column of `Row`; what is no single value stays a tree."""
    names = [part.name for part in fields(LedgerRow)]
    table = pd.DataFrame([asdict(row) for row in rows], columns=names, dtype=object)
    return table.astype(INTEGER_COLUMNS | FLOAT_COLUMNS)


def build_returns_table(rows: Sequence[LedgerRow], ledger: Ledger) -> pd.DataFrame:
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
        return pd.DataFrame(columns=RETURN_COLUMNS)
    return pd.concat(blocks, ignore_index=True)[list(RETURN_COLUMNS)]


def encode_table(table: pd.DataFrame, format_: Literal["csv", "json", "parquet"]) -> bytes:
    """The table as a file; in CSV and Parquet a tree is JSON in one cell.

    Floats keep every digit that tells them from another.
    """
    if format_ == "json":
        return (json.dumps(_json_records(table), indent=2, allow_nan=False) + "\n").encode()
    flat = table.copy()
    for name in set(flat.columns) & set(NESTED_COLUMNS):
        flat[name] = [None if tree is None else json.dumps(tree) for tree in flat[name]]
    # A column of which nothing is known is text all the same.
    numbers = {*INTEGER_COLUMNS, *FLOAT_COLUMNS, "timestamp", "return"}
    flat = flat.astype({name: "str" for name in flat.columns if name not in numbers})
    if format_ == "csv":
        return flat.to_csv(index=False, lineterminator="\n").encode()
    made = io.BytesIO()
    flat.to_parquet(made, index=False)
    return made.getvalue()


def _json_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object).where(table.notna(), None)
    return [
        {str(name): _json_value(value) for name, value in row.items()}
        for row in plain.to_dict("records")
    ]


def _json_value(value: object) -> object:
    return value.isoformat() if isinstance(value, pd.Timestamp) else value
