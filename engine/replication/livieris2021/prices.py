"""Reads the authors' daily closes and checks that they are those of the paper."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import DataError, InvalidBarsError
from engine.core.limits import MAX_RATE_FILE_BYTES
from engine.core.read_file import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import Vector, WideFrame
    from engine.replication.livieris2021.protocol import PaperProtocol

COLUMNS = ("timestamp", "close")


def read_closes(folder: Path, protocol: PaperProtocol) -> WideFrame:
    """One column for each coin, one row for each day of the protocol.

    Args:
        folder: Folder of BTC.csv, ETH.csv, XRP.csv with columns timestamp and close.
        protocol: The required coins and days.

    Raises:
        DataError: The folder or a file is missing.
        InvalidBarsError: A file cannot be read, a day is missing, repeated or not in the
            protocol, a close is not a positive number, or a part has no day up or no day down.
    """
    if not folder.is_dir():
        raise DataError(
            "the folder of the paper's data is missing",
            expected=f"{', '.join(_file_names(protocol))} and published_tables.json in it",
            found="no such folder",
            where=str(folder),
            fix="name the folder with --data",
        )
    days = pd.date_range(protocol.first, protocol.last, freq="D", tz="UTC", name="timestamp")
    columns = {coin: _read_coin(folder / f"{coin}.csv", days) for coin in protocol.coins}
    for coin, closes in columns.items():
        _check_movements(folder / f"{coin}.csv", closes, protocol)
    return pd.DataFrame(columns, index=days)


def _file_names(protocol: PaperProtocol) -> list[str]:
    return [f"{coin}.csv" for coin in protocol.coins]


def _read_coin(path: Path, days: pd.DatetimeIndex) -> Vector:
    table = _read_csv(path)
    stamps = pd.to_datetime(table["timestamp"], errors="coerce", utc=True)
    if stamps.isna().any():
        row = int(stamps.isna().to_numpy().argmax())
        raise _bad_bars_error(
            path, "a timestamp is not a date", "YYYY-MM-DD", table["timestamp"][row], row
        )
    _check_days(path, pd.DatetimeIndex(stamps), days)
    closes: Vector = pd.to_numeric(table["close"], errors="coerce").to_numpy(dtype=np.float64)
    invalid = ~(np.isfinite(closes) & (closes > 0))
    if invalid.any():
        row = int(invalid.argmax())
        raise _bad_bars_error(
            path, "a close is not a price", "a positive number", table["close"][row], row
        )
    return closes


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        raw = read_bytes(
            path, max_bytes=MAX_RATE_FILE_BYTES, what="a file of closes", error=InvalidBarsError
        )
        table = pd.read_csv(io.BytesIO(raw), dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise DataError(
            "a file of the paper's closes is missing",
            expected=path.name,
            found="no such file",
            where=str(path.parent),
            fix="name the folder that has it with --data",
        ) from None
    except (OSError, ValueError) as error:
        raise InvalidBarsError(
            "a file of the paper's closes cannot be read",
            expected="CSV with the columns timestamp and close",
            found=" ".join(str(error).split())[:200],
            where=str(path),
            fix="copy the file again",
        ) from error
    if not set(COLUMNS) <= set(table.columns):
        raise InvalidBarsError(
            "a file of the paper's closes lacks a column",
            expected=", ".join(COLUMNS),
            found=", ".join(map(str, table.columns)),
            where=str(path),
            fix="copy the file again",
        )
    return table


def _check_days(path: Path, timestamps: pd.DatetimeIndex, days: pd.DatetimeIndex) -> None:
    if len(timestamps) == len(days) and (timestamps == days).all():
        return
    missing, extra = days.difference(timestamps), timestamps.difference(days)
    if len(missing):
        found = (
            f"{len(timestamps)} rows; {len(missing)} days are missing, the first "
            f"{_first_day(missing)}"
        )
    elif len(extra):
        found = f"{len(timestamps)} rows; {len(extra)} lie outside, the first {_first_day(extra)}"
    else:
        found = f"{len(timestamps)} rows; days are repeated or out of order"
    raise InvalidBarsError(
        "the closes are not those of the paper",
        expected=f"each of the {len(days)} days from {_first_day(days)} to {days[-1]:%Y-%m-%d} "
        f"once",
        found=found,
        where=str(path),
        fix="copy the file again; the replication needs exactly these days",
    )


def _check_movements(path: Path, closes: Vector, protocol: PaperProtocol) -> None:
    for name, part in zip(protocol.split._fields, protocol.split, strict=True):
        changes = np.diff(closes[part.start : part.stop])
        if not ((changes > 0).any() and (changes < 0).any()):
            raise InvalidBarsError(
                f"the closes of the {name} part do not go up and down",
                expected="days up and days down in every part",
                found=f"{np.sum(changes > 0)} up, {np.sum(changes < 0)} down",
                where=str(path),
                fix="copy the file again",
            )


def _first_day(days: pd.DatetimeIndex) -> str:
    return str(days[0].strftime("%Y-%m-%d"))


def _bad_bars_error(
    path: Path, problem: str, expected: str, found: str, row: int
) -> InvalidBarsError:
    return InvalidBarsError(
        problem,
        expected=expected,
        found=repr(found),
        where=f"{path}, line {row + 2}",
        fix="copy the file again",
    )
