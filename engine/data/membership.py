"""The members of a universe as they were known at each close, read from a file of intervals."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import DataError
from engine.core.limits import MAX_MEMBERS_FILE_BYTES
from engine.core.read_file import read_bytes
from engine.data.intervals import add_interval

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from engine.core.types import BoolMatrix

COLUMNS = ("symbol", "from", "to")

_DAY = np.timedelta64(1, "D")
_OPEN_END = date.max
_MAX_TOLD = 20


@dataclass(frozen=True, order=True)
class MemberSpan:
    """Days on which a symbol belongs to the universe, both inclusive.

    Attributes:
        symbol: Symbol.
        first: First day.
        last: Last day; None where it is still a member.
    """

    symbol: str
    first: date
    last: date | None = None

    @property
    def end(self) -> date:
        """The last day, or the last of all."""
        return self.last or _OPEN_END


@dataclass(frozen=True)
class Membership:
    """Who belongs to a universe, by day.

    A day's list is known when that day has ended in UTC: at the close of a daily bar labelled by
    it, and at that of an intraday bar that ends at midnight or later.

    Attributes:
        spans: Of every symbol, those of one symbol ascending and apart.
    """

    spans: tuple[MemberSpan, ...]

    def at(self, stamps: pd.DatetimeIndex, interval: str, symbols: Sequence[str]) -> BoolMatrix:
        """Whether each symbol is a member at the close of each bar, shape (n, m).

        Args:
            stamps: (n,) timestamps of bars, UTC.
            interval: Their length.
            symbols: The m symbols; one without a span is never a member.
        """
        known = known_days(stamps, interval)
        members = np.zeros((len(stamps), len(symbols)), dtype=np.bool_)
        places = {symbol: place for place, symbol in enumerate(symbols)}
        for span in self.spans:
            if span.symbol in places:
                inside = (known >= np.datetime64(span.first)) & (known <= np.datetime64(span.end))
                members[:, places[span.symbol]] |= inside
        return members

    def to_json(self) -> list[list[str]]:
        """Symbol, first day, last day (empty: still a member) of each span."""
        return [
            [each.symbol, each.first.isoformat(), each.last.isoformat() if each.last else ""]
            for each in self.spans
        ]

    @classmethod
    def from_json(cls, rows: Sequence[Sequence[str]]) -> Membership:
        """What `to_json` gave."""
        return cls(
            tuple(
                MemberSpan(
                    symbol, date.fromisoformat(first), date.fromisoformat(last) if last else None
                )
                for symbol, first, last in rows
            )
        )


def known_days(stamps: pd.DatetimeIndex, interval: str) -> np.ndarray:
    """The last day that has ended in UTC at the close of each bar, `datetime64[D]`."""
    ends = pd.DatetimeIndex(add_interval(pd.Series(stamps), interval)).tz_localize(None)
    return ends.to_numpy().astype("datetime64[D]") - _DAY


def read_membership(
    path: Path, symbols: Sequence[str], *, without_row: Collection[str] = ()
) -> Membership:
    """The members of a universe from a file with the columns `symbol, from, to`.

    Dates are `YYYY-MM-DD`, both inclusive; an empty `to` is a symbol that is still a member. A
    symbol may leave and come back.

    Args:
        path: The file, CSV in UTF-8.
        symbols: Those of the dataset.
        without_row: Those of them that need no row, as they are not traded.

    Raises:
        DataError: The file cannot be read, a row is wrong, two rows of a symbol overlap, a symbol
            is not in the dataset, or one of the dataset is not in the file.
    """
    rows = _read_rows(path)
    spans, problems = [], []
    for line, row in rows:
        try:
            spans.append((line, _parse_row(row, symbols)))
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    problems += _find_overlaps(spans)
    named = {span.symbol for _, span in spans} | set(without_row)
    absent = [symbol for symbol in symbols if symbol not in named]
    if not problems and absent:
        problems.append(
            f"no row of {', '.join(absent)}: expected each symbol of the dataset; add the days on "
            "which it was a member, or take it out of `symbols`"
        )
    if problems:
        more = len(problems) - _MAX_TOLD
        listed = [*problems[:_MAX_TOLD], *([f"and {more} more"] if more > 0 else [])]
        raise DataError(
            f"the members of the universe cannot be read: {len(problems)} "
            f"{'mistake' if len(problems) == 1 else 'mistakes'}",
            expected="rows `symbol,from,to` of days such as 2015-03-31, those of one symbol "
            "apart; an empty `to` is still a member",
            found="\n    ".join(listed),
            where=str(path),
            fix="correct these lines",
        )
    return Membership(tuple(sorted(span for _, span in spans)))


def _read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells of each row that is not empty."""
    try:
        raw = read_bytes(
            path, max_bytes=MAX_MEMBERS_FILE_BYTES, what="a list of members", error=DataError
        )
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            "the members of the universe cannot be read",
            expected=f"a CSV file in UTF-8 with the columns {', '.join(COLUMNS)}",
            found=getattr(error, "strerror", None) or str(error),
            where=str(path),
            fix="correct `members.file` of the dataset; its path is relative to the manifest",
        ) from error
    reader, numbered = csv.reader(io.StringIO(text)), list(enumerate(COLUMNS))
    header = [name.strip() for name in next(reader, [])]
    if header != list(COLUMNS):
        raise DataError(
            "the members of the universe cannot be read",
            expected=f"the header {','.join(COLUMNS)}",
            found=",".join(header) or "an empty file",
            where=f"{path}, line 1",
            fix="name the columns so",
        )
    return [
        (
            reader.line_num,
            {name: cells[n].strip() if n < len(cells) else "" for n, name in numbered},
        )
        for cells in reader
        if any(cell.strip() for cell in cells)
    ]


def _parse_row(row: dict[str, str], symbols: Sequence[str]) -> MemberSpan:
    """One row; a ValueError says what is wrong, and the fix."""
    symbol = row["symbol"]
    if symbol not in symbols:
        raise ValueError(
            f"expected one of {', '.join(symbols)}, found {symbol or 'nothing'}; take the row "
            "out, or add the symbol to `symbols` of the dataset"
        )
    first = _parse_day(row["from"], "from")
    last = _parse_day(row["to"], "to") if row["to"] else None
    if last is not None and first > last:
        raise ValueError(
            f"expected `from` not after `to`, found {first} to {last} of {symbol}; swap them"
        )
    return MemberSpan(symbol, first, last)


def _parse_day(text: str, column: str) -> date:
    try:
        if len(text) != len("2015-03-31"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"expected a day such as 2015-03-31 in `{column}`, found {text or 'nothing'}; write "
            "year, month, day"
        ) from None


def _find_overlaps(spans: Sequence[tuple[int, MemberSpan]]) -> Iterator[str]:
    """A sentence for each two rows of a symbol that share a day."""
    ordered = sorted(spans, key=lambda each: each[1])
    for (line, one), (later, other) in pairwise(ordered):
        if one.symbol == other.symbol and other.first <= one.end:
            yield (
                f"line {later}: expected days after {one.last or 'the open end'} of line {line}, "
                f"found {other.first} of {other.symbol}; join the two rows, or correct a date"
            )
