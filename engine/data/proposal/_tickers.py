"""Finds the symbols of a file that holds the bars of many."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core.errors import InvalidBarsError
from engine.data.sources.files import FileReader, open_content

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.data.files_config import FilesSourceSpec
    from engine.data.proposal._names import NamedFiles

MAX_SYMBOLS = 20
"""Symbols of one file that a manifest lists; there may be thousands."""

_NAME = re.compile(
    r"ticker|symbol|tic|name|instrument|instrument_?name|coin|asset|pair|code|stock|market|sec_?id"
    r"|currency",
    re.IGNORECASE,
)
# A symbol has more than one bar.
_MIN_BARS_EACH = 2


@dataclass(frozen=True)
class TickerColumn:
    """A column that tells the rows of several symbols apart.

    Attributes:
        column: Its name.
        values: Its different texts, in the order of the file.
    """

    column: str
    values: tuple[str, ...]

    @property
    def comment(self) -> str:
        """What was found, in a clause."""
        more = self.values[MAX_SYMBOLS:]
        shown = f"; not listed: {', '.join(more[:5])} and {len(more) - 5} more" if more else ""
        return f"the column {self.column} has {len(self.values)} symbols{shown}"

    def apply(self, named: NamedFiles) -> NamedFiles:
        """The symbols of the column in place of those of the file names."""
        (symbol,) = named.symbols
        pattern = named.pattern.replace("{symbol}", named.names.get(symbol, symbol))
        return replace(
            named,
            symbols=self.values[:MAX_SYMBOLS],
            pattern=pattern,
            names={},
            origin=f"the column {self.column}",
        )


def find_tickers(
    path: Path, spec: FilesSourceSpec, where: Mapping[str, str] | None
) -> TickerColumn | None:
    """The column of a file that holds the names of its symbols; None where it has one symbol.

    Args:
        path: The file.
        spec: The keys that read it.
        where: The condition of its form, where that has one.

    Raises:
        InvalidBarsError: The file cannot be read.
    """
    try:
        table = FileReader(spec, "{symbol}", "1d").open_table(open_content(path, ""))
    except InvalidBarsError:
        # A file whose columns are not named yet, or an archive, has its symbol in its name.
        return None
    own = [name for name, text in (where or {}).items() if text == "{symbol}"]
    for name in own or [name for name in table.names if _NAME.fullmatch(name.strip())]:
        if name not in table.names:
            continue
        cells = table.read([name], ())[name].astype("str").str.strip()
        values = tuple(dict.fromkeys(str(text) for text in cells.dropna() if text))
        if own or 1 < len(values) <= len(cells) / _MIN_BARS_EACH:
            return TickerColumn(name, values)
    return None
