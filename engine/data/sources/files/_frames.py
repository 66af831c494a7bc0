"""Reads Parquet, Feather and JSON, with whatever index and levels of columns they have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet

from engine.core import limits
from engine.core.errors import InvalidBarsError
from engine.data.sources.files._cells import looks_like_date
from engine.data.sources.files._column_names import UNNAMED, is_known_name
from engine.data.sources.files._columns import has_all_columns
from engine.data.sources.files._content import reading, unreadable_table
from engine.data.sources.files._levels import flatten_levels
from engine.data.sources.files._order import price_order, suggest_names
from engine.data.sources.files._shown import shorten
from engine.data.sources.files._table import FrameTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.json_text import Json
    from engine.data.files_config import FilesSourceSpec
    from engine.data.sources.files._content import FileContent

_JSON_FORMS = "a list of objects or of lists, an object of columns, or a JSON object a line"
_CCXT_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
_SAMPLE_ROWS = 100


def read_frame(content: FileContent, spec: FilesSourceSpec, ticker: str) -> FrameTable:
    """Reads a file whose columns have types.

    An index that has a name, or holds times or text, is a column too.

    Args:
        content: A file of kind `parquet`, `arrow` or `json`.
        spec: The source.
        ticker: The source's name of the symbol.

    Raises:
        InvalidBarsError: The file is damaged, or holds no table.
    """
    if content.kind == "json":
        return _read_json(content, spec)
    if spec.header is not None or spec.skip:
        raise InvalidBarsError(
            "this file has names of its own",
            expected="a source without `header` and `skip`",
            found=f"a file of {content.kind.capitalize()}",
            where=str(content.path),
            fix="take `header` and `skip` out of the files source; `columns` maps names",
        )
    with reading(content.path):
        source = pa.BufferReader(content.read())
        if content.kind == "parquet":
            file = parquet.ParquetFile(source)
            _require_size(content, file.metadata.num_columns, file.metadata.num_rows)
            table = file.read()
        else:
            _require_size(content, len(pa.ipc.open_file(source).schema), 0)
            source.seek(0)
            table = feather.read_table(source)
        frame = cast("pd.DataFrame", table.to_pandas())
    frame = _index_to_columns(frame)
    if frame.columns.nlevels != 2:
        columns = [
            " ".join(map(str, name)) if isinstance(name, tuple) else str(name)
            for name in frame.columns
        ]
        return FrameTable(content.path, frame.set_axis(columns, axis=1))
    levels = ["" if name is None else str(name) for name in frame.columns.names]
    labels = cast("list[tuple[object, object]]", frame.columns.tolist())
    pairs = [(str(first), str(second)) for first, second in labels]
    flat = flatten_levels(content.path, pairs, (levels[0], levels[1]), ticker, spec.where)
    used = () if flat.where_key is None else (flat.where_key,)
    return FrameTable(content.path, frame.set_axis(list(flat.names), axis=1), [flat.notice], used)


def _require_size(content: FileContent, columns: int, rows: int) -> None:
    """Refuses a table that its own description says to be too large, before it is expanded."""
    if columns <= limits.MAX_BAR_FILE_COLUMNS and rows <= limits.MAX_BAR_FILE_ROWS:
        return
    raise InvalidBarsError(
        "this file is too large for a table of bars",
        expected=f"at most {limits.MAX_BAR_FILE_COLUMNS:,} columns and "
        f"{limits.MAX_BAR_FILE_ROWS:,} rows",
        found=f"{columns:,} columns and {rows:,} rows" if rows else f"{columns:,} columns",
        where=str(content.path),
        fix="divide it into files of fewer symbols, or into longer bars",
    )


def _index_to_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its index as columns, except for an index that only numbers the rows."""
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        names = [name or f"level_{level}" for level, name in enumerate(index.names)]
        return frame.reset_index(names=names)
    if index.name is not None:
        return frame.reset_index()
    if pd.api.types.is_numeric_dtype(index.dtype):
        return frame
    return frame.reset_index(names=UNNAMED)


def _read_json(content: FileContent, spec: FilesSourceSpec) -> FrameTable:
    document = _parse_json(content)
    lists = _find_lists(document)
    if lists is not None:
        return _read_lists(content, lists, spec)
    frame = _find_frame(document, spec)
    if frame is None:
        raise unreadable_table(
            content.path,
            f"JSON without a table of bars: {shorten(json.dumps(document))}",
            f"save the bars as {_JSON_FORMS}, or as CSV",
        )
    return FrameTable(content.path, frame.rename(columns=str))


def _parse_json(content: FileContent) -> Json:
    """The document; of JSON lines, the list of their objects."""
    text = content.text()
    try:
        return json.loads(text)
    except RecursionError:
        raise unreadable_table(
            content.path, "JSON that is nested too deeply", "save the bars one a line, as CSV"
        ) from None
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            raise unreadable_table(
                content.path, f"damaged JSON: {error}", "save or download the file again"
            ) from None


def _find_lists(document: Json) -> list[list[Json]] | None:
    """The rows of a JSON document that has one list of lists; None without one, or with two."""
    if isinstance(document, list):
        is_table = len(document) > 0 and all(isinstance(row, list) for row in document)
        return document if is_table else None
    if not isinstance(document, dict) or "columns" in document:
        return None
    parts = [rows for part in document.values() if (rows := _find_lists(part)) is not None]
    return parts[0] if len(parts) == 1 else None


def _find_frame(document: Json, spec: FilesSourceSpec) -> pd.DataFrame | None:
    """The table in a JSON document, or in one of its parts; None without one."""
    if isinstance(document, list):
        rows = bool(document) and all(isinstance(row, dict) for row in document)
        return pd.DataFrame(document) if rows else None
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("data"), list) and isinstance(document.get("columns"), list):
        table = pd.DataFrame(document["data"], columns=document["columns"])
        return _with_index(table, document.get("index"))
    frame = _find_columns(document, spec)
    return _find_part(document, spec) if frame is None else frame


def _find_part(document: dict[str, Json], spec: FilesSourceSpec) -> pd.DataFrame | None:
    """The table in one of the values of an object; None without one, or with two."""
    parts = [value for value in document.values() if isinstance(value, list | dict) and value]
    frames = [frame for part in parts if (frame := _find_frame(part, spec)) is not None]
    if len(frames) > 1:
        frames = [frame for frame in frames if _are_columns([*map(str, frame.columns)], spec)]
    return frames[0] if len(frames) == 1 else None


def _find_columns(document: dict[str, Json], spec: FilesSourceSpec) -> pd.DataFrame | None:
    """The table that an object is: lists of cells by column, or objects of cells."""
    lists = {key: value for key, value in document.items() if isinstance(value, list)}
    if _are_columns(list(lists), spec) and len({len(value) for value in lists.values()}) == 1:
        return pd.DataFrame(lists)
    objects = {key: value for key, value in document.items() if isinstance(value, dict)}
    are_all = len(objects) == len(document) > 0
    return _frame_of_objects(objects, spec) if are_all else None


def _are_columns(names: Sequence[str], spec: FilesSourceSpec) -> bool:
    """Whether these names are those of the columns of bars, mapped, usual or suggested."""
    return has_all_columns(names, spec) or sum(map(is_known_name, names)) >= len(_CCXT_COLUMNS) - 1


def _frame_of_objects(
    objects: dict[str, dict[str, Json]], spec: FilesSourceSpec
) -> pd.DataFrame | None:
    """A table from columns of cells, or from rows of cells, by which of them have the names."""
    if sum(map(is_known_name, objects)) >= len(_CCXT_COLUMNS) - 2:
        frame = pd.DataFrame(objects)
    elif _are_columns(["timestamp", *next(iter(objects.values()))], spec):
        frame = pd.DataFrame.from_dict(objects, orient="index")
    else:
        return None
    return _with_index(frame.reset_index(drop=True), list(frame.index))


def _with_index(frame: pd.DataFrame, index: list[Json] | None) -> pd.DataFrame:
    """The frame with its index as a first column without a name, unless it numbers the rows."""
    labels = [str(label) for label in index or ()]
    if not labels or not looks_like_date(labels[0]):
        return frame
    frame.insert(0, UNNAMED, labels)
    return frame


def _read_lists(content: FileContent, rows: list[list[Json]], spec: FilesSourceSpec) -> FrameTable:
    """Rows without names: those of the key `header`, or the order of ccxt where they show it."""
    frame = pd.DataFrame(rows)
    sample = [[_as_text(cell) for cell in row] for row in rows[:_SAMPLE_ROWS]]
    if isinstance(spec.header, tuple) and len(spec.header) == frame.shape[1]:
        return FrameTable(content.path, frame.set_axis(list(spec.header), axis=1))
    if spec.header == "none":
        names = [str(number) for number in range(1, frame.shape[1] + 1)]
        return FrameTable(content.path, frame.set_axis(names, axis=1))
    if spec.header is None and _are_in_the_order_of_ccxt(frame, sample):
        notice = f"rows of JSON are read in the order {', '.join(_CCXT_COLUMNS)}"
        return FrameTable(content.path, frame.set_axis(list(_CCXT_COLUMNS), axis=1), [notice])
    raise InvalidBarsError(
        f"the rows of this JSON are lists of {frame.shape[1]} values without names",
        expected="a name for every value, in order",
        found=shorten(json.dumps(rows[0])),
        where=f"{content.path}, row 1",
        fix=f"add `header: [{', '.join(suggest_names(sample))}]` to the files source, the names "
        "in order; check them",
    )


def _are_in_the_order_of_ccxt(frame: pd.DataFrame, sample: list[list[str]]) -> bool:
    """Whether rows are a number since 1970, then open, high, low, close and volume."""
    return (
        frame.shape[1] == len(_CCXT_COLUMNS)
        and all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes)
        and all(looks_like_date(row[0]) for row in sample)
        and price_order(list(zip(*(row[1:5] for row in sample), strict=True)))
        == ["open", "high", "low", "close"]
    )


def _as_text(cell: Json) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
