"""Tables of the trial ledger, encoded as CSV, JSON or Parquet."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from engine.trials import LedgerRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.trials import Ledger

NESTED_COLUMNS = ("strategy", "dataset", "targets", "inputs", "certificate")
DERIVED_COLUMNS = ("confidence", "tries_elsewhere")
INTEGER_COLUMNS = dict.fromkeys(
    ("number", "pid", "bars", "seeds", "tuning", "tries_elsewhere"), "Int64"
)
FLOAT_COLUMNS = dict.fromkeys(("periods_per_year", "sharpe", "confidence"), "float64")
RETURN_COLUMNS = ("number", "run_id", "name", "configuration", "timestamp", "return", "holding")


def build_runs_table(rows: Sequence[LedgerRow]) -> pd.DataFrame:
    """One row per run, every field of `LedgerRow`; nested values stay nested."""
    names = [*(part.name for part in fields(LedgerRow)), *DERIVED_COLUMNS]
    records = [
        asdict(row) | {name: getattr(row, name) for name in DERIVED_COLUMNS} for row in rows
    ]
    table = pd.DataFrame(records, columns=names, dtype=object)
    return table.astype(INTEGER_COLUMNS | FLOAT_COLUMNS)


def build_returns_table(rows: Sequence[LedgerRow], ledger: Ledger) -> pd.DataFrame:
    """Long table: one row per bar of each finished run.

    Returns:
        number, run_id, name, configuration, timestamp (UTC), return (net, simple, of one bar),
        holding (that of buy and hold; NaN where the ledger does not hold it).
    """
    recorded_by_run = ledger.recorded_returns([row.number for row in rows])
    blocks = [
        pd.DataFrame(
            {
                "timestamp": recorded.returns.index,
                "return": recorded.returns.to_numpy(),
                "holding": np.nan if recorded.holding is None else recorded.holding.to_numpy(),
            }
        ).assign(
            number=row.number, run_id=row.run_id, name=row.name, configuration=row.configuration
        )
        for row in rows
        if (recorded := recorded_by_run.get(row.number)) is not None
    ]
    if not blocks:
        return pd.DataFrame(columns=RETURN_COLUMNS)
    return pd.concat(blocks, ignore_index=True)[list(RETURN_COLUMNS)]


def encode_table(table: pd.DataFrame, format_: Literal["csv", "json", "parquet"]) -> bytes:
    """The table as the bytes of a file; in CSV and Parquet nested values are JSON in one cell.

    Floats are written with all significant digits.
    """
    if format_ == "json":
        return (json.dumps(_json_records(table), indent=2, allow_nan=False) + "\n").encode()
    flat = table.copy()
    for name in set(flat.columns) & set(NESTED_COLUMNS):
        flat[name] = [None if value is None else json.dumps(value) for value in flat[name]]
    # A column without any value is text too.
    numbers = {*INTEGER_COLUMNS, *FLOAT_COLUMNS, "timestamp", "return", "holding"}
    flat = flat.astype({name: "str" for name in flat.columns if name not in numbers})
    if format_ == "csv":
        return flat.to_csv(index=False, lineterminator="\n").encode()
    buffer = io.BytesIO()
    flat.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _json_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object).where(table.notna(), None)
    return [
        {str(name): _json_value(value) for name, value in row.items()}
        for row in plain.to_dict("records")
    ]


def _json_value(value: object) -> object:
    return value.isoformat() if isinstance(value, pd.Timestamp) else value
