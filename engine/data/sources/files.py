"""One file a symbol on this machine: CSV, CSV.gz or Parquet."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.bars import VALUE_COLUMNS
from engine.data.sources.feed import Feed, Request
from engine.data.sources.stamps import parse_stamps
from engine.errors import BadBarsError, SourceError

if TYPE_CHECKING:
    from engine.data.spec import FilesSource

_COLUMNS = ("timestamp", *VALUE_COLUMNS)

# What vendors call them; used only to suggest a `columns` mapping, never to guess one.
_ALIASES = {
    "timestamp": ("date", "datetime", "time", "open_time", "unix", "day"),
    "open": ("o",),
    "high": ("h",),
    "low": ("l",),
    "close": ("c", "price", "last"),
    "volume": ("vol", "v", "volume_usd", "volume usd"),
}


class FilesFeed(Feed):
    """Files of a folder, each read whole.

    Timestamps are ISO 8601 text, `YYYYMMDD`, or seconds, milliseconds, microseconds or
    nanoseconds since 1970; aware ones are converted to UTC, naive ones are UTC.

    Args:
        spec: Folder, file names and columns.
        manifest: Folder of the dataset's manifest, from which a relative path is taken.
    """

    cache_key = None
    appends = True

    def __init__(self, spec: FilesSource, manifest: Path) -> None:
        self.spec = spec
        self.folder = manifest / Path(spec.path).expanduser()
        self.label = "files"

    def ticker(self, symbol: str) -> str:
        """The symbol as the file names write it."""
        return self.spec.symbols.get(symbol, symbol)

    def origin(self, symbol: str) -> str:  # noqa: ARG002  one answer for all
        """Files, wherever they lie."""
        return "files"

    def place(self, symbol: str) -> str:
        """The symbol's file."""
        return str(self._path(symbol))

    def url(self) -> None:
        """No network."""

    def fetch(self, request: Request) -> pd.DataFrame:
        """All bars of the symbol's file; columns that bars do not have are ignored.

        Raises:
            SourceError: There is no such file.
            BadBarsError: A column is missing, or a cell is no number or timestamp.
        """
        path = self._path(request.symbol)
        if not path.is_file():
            raise SourceError(
                f"no file of {request.symbol}",
                expected=str(path),
                found=_neighbours(path),
                where="the dataset's files source",
                fix="correct path, pattern or symbols of the source",
            )
        names = {ours: self.spec.columns.get(ours, ours) for ours in _COLUMNS}
        table = _read(path, names)
        _require_columns(path, table, names)
        table = table[list(names.values())].set_axis(list(_COLUMNS), axis=1)
        for column in VALUE_COLUMNS:
            table[column] = _numbers(path, table[column])
        stamps, complaint = parse_stamps(table["timestamp"])
        if complaint:
            raise _unreadable(path, complaint.row, complaint.text, complaint.expected)
        table["timestamp"] = stamps
        return table

    def _path(self, symbol: str) -> Path:
        return self.folder / self.spec.pattern.replace("{symbol}", self.ticker(symbol))


def _read(path: Path, names: dict[str, str]) -> pd.DataFrame:
    """The columns wanted, or all of them where one is missing, so that it can be told."""
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            # A frame saved with its timestamps as the index.
            return table.reset_index() if table.index.name == names["timestamp"] else table
        return pd.read_csv(path, low_memory=False)
    except (OSError, ValueError, EOFError) as error:
        # pandas and pyarrow raise ValueErrors for text they cannot take apart; a gzip file that
        # was cut off is an EOFError.
        raise BadBarsError(
            "this file cannot be read as a table",
            expected="CSV with a header line, CSV.gz or Parquet",
            found=" ".join(str(error).split())[:200],
            where=str(path),
            fix="save or download the file again",
        ) from error


def _require_columns(path: Path, table: pd.DataFrame, names: dict[str, str]) -> None:
    missing = [ours for ours, theirs in names.items() if theirs not in table.columns]
    if not missing:
        return
    there = [str(column) for column in table.columns]
    guesses = {ours: _resembling(ours, there) for ours in missing}
    mapping = ", ".join(f"{ours}: {theirs}" for ours, theirs in guesses.items() if theirs)
    advice = "bars need every one of these columns; `columns: {ours: theirs}` renames them"
    raise BadBarsError(
        f"this file has no column {', '.join(names[ours] for ours in missing)}",
        expected=", ".join(names.values()),
        found=", ".join(there),
        where=str(path),
        fix=f"add `columns: {{{mapping}}}` to the files source" if mapping else advice,
    )


def _resembling(ours: str, there: list[str]) -> str | None:
    for name in there:
        if name.strip().lower() in (ours, *_ALIASES[ours]):
            return name
    return None


def _numbers(path: Path, cells: pd.Series[float]) -> pd.Series[float]:
    """The cells as numbers; an empty one is NaN, which the rules for bars refuse later."""
    numbers = pd.to_numeric(cells, errors="coerce")
    wrong = (numbers.isna() & cells.notna()).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise _unreadable(path, row, str(cells.iloc[row]), f"a number for {cells.name}")
    return numbers.astype("float64")


def _unreadable(path: Path, row: int, found: str, expected: str) -> BadBarsError:
    place = f"row {row + 1}" if path.suffix == ".parquet" else f"line {_line(path, row)}"
    return BadBarsError(
        f"{path.name} holds a cell that cannot be read",
        expected=expected,
        found=found,
        where=f"{path}, {place}",
        fix="correct the file; a spreadsheet may have rewritten its numbers and dates",
    )


def _line(path: Path, row: int) -> int:
    """Line in the file, from 1, of a row of the table, from 0: past the header and blank lines."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as text:
        filled = [number for number, line in enumerate(text, start=1) if line.strip()]
    return filled[row + 1]


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = sorted(entry.name for entry in path.parent.iterdir())
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"{', '.join(names[:6]) or 'an empty folder'}{more}"
