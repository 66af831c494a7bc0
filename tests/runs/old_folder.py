"""A run folder in the shape that it had before its documents had a schema_version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd

OLD_RUN = Path(__file__).parent / "old_run"
"""Its documents, and `tables.json`: the columns of its tables, on generated bars."""


def write_old_run(folder: Path) -> Path:
    """Writes the folder: the documents as they are, every table as Parquet."""
    shutil.copytree(OLD_RUN, folder, ignore=shutil.ignore_patterns("tables.json"))
    tables = json.loads((OLD_RUN / "tables.json").read_text(encoding="utf-8"))
    for name, columns in tables.items():
        table = pd.DataFrame(columns)
        stamps = pd.to_datetime(table["timestamp"], utc=True)
        table["timestamp"] = stamps.astype("datetime64[us, UTC]")
        if name == "returns":
            table = table.set_index("timestamp")
        table.to_parquet(folder / f"{name}.parquet")
    return folder
