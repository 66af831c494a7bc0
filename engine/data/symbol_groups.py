"""Groups of the symbols of a dataset, such as sectors, from the columns of a file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from engine.core.errors import DataError, UsageError
from engine.core.limits import MAX_MEMBERS_FILE_BYTES
from engine.core.read_file import read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.data.manifests import DatasetManifest

_SYMBOL = "symbol"
_MAX_TOLD = 20


def read_symbol_groups(manifest: DatasetManifest, column: str) -> dict[str, tuple[str, ...]]:
    """The groups that a column of the dataset's file of groups makes.

    Args:
        manifest: The dataset.
        column: One of the columns beside `symbol`.

    Returns:
        Name of a group, in the order of their first symbols -> its symbols, in the order of the
        dataset. A symbol whose cell is empty is in none; one that converts prices is in none.

    Raises:
        UsageError: The dataset has no such file, or the file no such column.
        DataError: The file cannot be read, or a row is wrong.
    """
    dataset, groups = manifest.dataset, manifest.dataset.groups
    if groups is None:
        raise UsageError(
            "the dataset has no groups of its symbols",
            expected=f"`groups: {{file: groups.csv}}` of the dataset, with a column {column}",
            found=f"{dataset.name} without `groups`",
            where=str(manifest.path),
            fix="add the file, or write the groups in the strategy: `groups: {tech: [AAPL]}`",
        )
    path = manifest.path.parent / groups.file
    header, rows = _read_table(path)
    if column not in header[1:]:
        raise UsageError(
            "the groups of the dataset have no such column",
            expected=", ".join(header[1:]) or "a column beside `symbol`",
            found=column,
            where=f"{path}, line 1",
            fix="name one of these columns, or add it to the file",
        )
    place = header.index(column)
    _require_each_symbol(path, rows, dataset.symbols, tuple(dataset.rate_symbols.values()))
    names = {cells[0]: cells[place] for _, cells in rows}
    found: dict[str, list[str]] = {}
    for symbol in dataset.symbols:
        if (name := names.get(symbol, "")) and symbol not in dataset.rate_symbols.values():
            found.setdefault(name, []).append(symbol)
    return {name: tuple(members) for name, members in found.items()}


def _read_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of the columns; line number and cells of each row that is not empty."""
    try:
        raw = read_bytes(
            path, max_bytes=MAX_MEMBERS_FILE_BYTES, what="a list of groups", error=DataError
        )
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            "the groups of the symbols cannot be read",
            expected="a CSV file in UTF-8 with the column symbol and one for each kind of group",
            found=getattr(error, "strerror", None) or str(error),
            where=str(path),
            fix="correct `groups.file` of the dataset; its path is relative to the manifest",
        ) from error
    reader = csv.reader(io.StringIO(text))
    header = [name.strip() for name in next(reader, [])]
    if not header or header[0] != _SYMBOL or len(set(header)) < len(header) or "" in header:
        raise DataError(
            "the groups of the symbols cannot be read",
            expected="a header of different names, the first of them symbol: symbol,sector",
            found=",".join(header) or "an empty file",
            where=f"{path}, line 1",
            fix="name the columns so",
        )
    rows = [
        (reader.line_num, [cell.strip() for cell in cells] + [""] * (len(header) - len(cells)))
        for cells in reader
        if any(cell.strip() for cell in cells)
    ]
    return header, rows


def _require_each_symbol(
    path: Path,
    rows: Sequence[tuple[int, list[str]]],
    symbols: Sequence[str],
    without_row: Sequence[str],
) -> None:
    """Refuses a row of an unknown symbol, a second one, and a symbol without a row."""
    problems, seen = [], set(without_row)
    for line, (symbol, *_) in rows:
        if symbol not in symbols:
            problems.append(f"line {line}: {symbol or 'nothing'} is no symbol of the dataset")
        elif symbol in seen and symbol not in without_row:
            problems.append(f"line {line}: a second row of {symbol}")
        seen.add(symbol)
    problems += [f"no row of {symbol}" for symbol in symbols if symbol not in seen]
    if not problems:
        return
    more = len(problems) - _MAX_TOLD
    raise DataError(
        "the groups of the symbols cannot be read",
        expected="one row for each symbol of the dataset; an empty cell is no group",
        found="\n    ".join([*problems[:_MAX_TOLD], *([f"and {more} more"] if more > 0 else [])]),
        where=str(path),
        fix="correct these lines",
    )
