"""One file a symbol on this machine: CSV, CSV.gz or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.bars import VALUE_COLUMNS
from engine.data.calendar import is_daily
from engine.data.sources.dates import declares_text
from engine.data.sources.feed import Feed, Request
from engine.data.sources.files_columns import match_columns
from engine.data.sources.files_numbers import declares_notation, read_numbers
from engine.data.sources.files_table import read_table, unreadable
from engine.data.sources.stamps import Reading, parse_stamps
from engine.data.sources.unreadable import Complaint
from engine.errors import SourceError

if TYPE_CHECKING:
    from engine.data.spec import FilesSource


class FilesFeed(Feed):
    """Files of a folder, each read whole, its rows in the order they have.

    What a cell means is never guessed: numbers are `1234.5` and timestamps ISO 8601, `YYYYMMDD`
    or numbers since 1970 of one plausible unit, unless the source declares another form. What
    was recognised, and not declared, is told once.

    Args:
        spec: Folder, file names, columns and how cells are written.
        manifest: Folder of the dataset's manifest, from which a relative path is taken.
    """

    cache_key = None
    appends = True

    def __init__(self, spec: FilesSource, manifest: Path) -> None:
        self.spec = spec
        self.folder = manifest / Path(spec.path).expanduser()
        self.label = "files"
        self._told: set[str] = set()

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
        """All bars of the symbol's file, with adj_close, dividends and split where it has them.

        Raises:
            SourceError: There is no such file.
            BadBarsError: It is no table, a column is missing or may be one of two, or a cell is
                no number or timestamp, or can be read in two ways.
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
        as_text = declares_notation(self.spec) or declares_text(self.spec.dates)
        table = read_table(path, as_text=as_text)
        columns = match_columns(path, list(table.columns), self.spec.columns)
        table = table[list(columns.names.values())].set_axis(list(columns.names), axis=1)
        numbers, complaints = self._numbers(table)
        reading = Reading(self.spec.dates, self.spec.timezone, is_daily(request.interval))
        stamps = parse_stamps(table["timestamp"], reading)
        if isinstance(stamps, Complaint):
            raise unreadable(path, [*complaints, stamps])
        if complaints:
            raise unreadable(path, complaints)
        self._tell(request, (*columns.told, *([stamps.told] if stamps.told else ())))
        return numbers.assign(timestamp=stamps.values)

    def _numbers(self, table: pd.DataFrame) -> tuple[pd.DataFrame, list[Complaint]]:
        """The values of bars, what else the file carries as numbers, and what is no number."""
        found, complaints = {}, []
        for column in table.columns.drop("timestamp"):
            numbers = read_numbers(table[column], self.spec)
            if not isinstance(numbers, Complaint):
                found[column] = numbers
            elif column in VALUE_COLUMNS:
                complaints.append(numbers)
        return pd.DataFrame(found), complaints

    def _tell(self, request: Request, sentences: tuple[str, ...]) -> None:
        """Each sentence once, for the first file it is about."""
        for sentence in sentences:
            if sentence not in self._told:
                self._told.add(sentence)
                request.say(f"files: {sentence} (in {self._path(request.symbol).name})")

    def _path(self, symbol: str) -> Path:
        return self.folder / self.spec.pattern.replace("{symbol}", self.ticker(symbol))


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = sorted(entry.name for entry in path.parent.iterdir())
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"{', '.join(names[:6]) or 'an empty folder'}{more}"
