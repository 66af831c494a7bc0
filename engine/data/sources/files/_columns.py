"""Which column of a file is which of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import InvalidBarsError
from engine.data.bars import EVENT_COLUMNS, VALUE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

REQUIRED_COLUMNS = ("timestamp", *VALUE_COLUMNS)

# Read as ours, capitals, spaces, underscores and hyphens aside: names with one meaning only.
# `Price`, `Last`, `Close Time` or `Volume BTC` must be mapped.
_ALIASES = {
    "timestamp": ("timestamp", "date", "datetime", "time", "opentime", "unix", "unixtimestamp"),
    **{name: (name,) for name in VALUE_COLUMNS},
    "adj_close": ("adjclose", "adjustedclose"),
    "dividends": ("dividend", "dividends"),
    "split": ("split", "splits", "stocksplit", "stocksplits"),
}

# Only suggested.
_SUGGESTED_ALIASES = {
    "timestamp": ("day", "begin", "start"),
    "open": ("o", "first"),
    "high": ("h", "max"),
    "low": ("l", "min"),
    "close": ("c", "price", "last", "adjclose", "adjustedclose"),
    "volume": ("v", "vol", "vol.", "volumeusd", "volumebtc", "basevolume"),
}


@dataclass(frozen=True)
class ColumnMatch:
    """The file's name of each of our columns.

    Attributes:
        file_names: Our column to the file's: all six, and those of `EVENT_COLUMNS` that it has.
        notices: A sentence about each choice that a reader may not expect.
    """

    file_names: dict[str, str]
    notices: tuple[str, ...]


def match_columns(
    path: Path, file_columns: Sequence[str], mapping: Mapping[str, str]
) -> ColumnMatch:
    """Finds our columns among those of a file.

    What the source maps is taken as it says, then a column with exactly our name, then the one
    with a usual name of it.

    Args:
        path: The file, for the message.
        file_columns: Its columns.
        mapping: Our column to the file's, from the source.

    Raises:
        InvalidBarsError: A column is missing, or two may be meant.
    """
    found = {
        ours: _find_candidates(ours, file_columns, mapping)
        for ours in (*REQUIRED_COLUMNS, *EVENT_COLUMNS)
    }
    wanted = [*REQUIRED_COLUMNS, *(ours for ours in EVENT_COLUMNS if ours in mapping)]
    missing = [ours for ours in wanted if not found[ours]]
    if missing:
        raise _missing_columns_error(path, file_columns, mapping, missing)
    for ours in wanted:
        names = found[ours]
        if len(names) > 1:
            choices = " or ".join(f"`columns: {{{ours}: {name}}}`" for name in names)
            raise InvalidBarsError(
                f"this file has {len(names)} columns that may be the {ours}",
                expected=f"one {ours}",
                found=", ".join(names),
                where=str(path),
                fix=f"say which: add {choices} to the files source",
            )
    chosen = {ours: names[0] for ours, names in found.items() if len(names) == 1}
    return ColumnMatch(chosen, _make_notices(chosen, mapping))


def _find_candidates(
    ours: str, file_columns: Sequence[str], mapping: Mapping[str, str]
) -> list[str]:
    exact = mapping.get(ours, ours)
    if exact in file_columns or ours in mapping:
        return [exact] if exact in file_columns else []
    return [name for name in file_columns if _normalise_name(name) in _ALIASES[ours]]


def _normalise_name(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter not in " _-")


def _make_notices(chosen: Mapping[str, str], mapping: Mapping[str, str]) -> tuple[str, ...]:
    told = []
    time, adjusted = chosen["timestamp"], chosen.get("adj_close")
    if "timestamp" not in mapping and _normalise_name(time) != "timestamp":
        told.append(f"the column {time} is read as the timestamp")
    if adjusted is not None:
        told.append(f"prices are those of the column {chosen['close']}, not of {adjusted}")
    return tuple(told)


def _missing_columns_error(
    path: Path, file_columns: Sequence[str], mapping: Mapping[str, str], missing: Sequence[str]
) -> InvalidBarsError:
    guesses = {ours: _suggest_column(ours, file_columns) for ours in missing}
    fitting = ", ".join(f"{ours}: {theirs}" for ours, theirs in guesses.items() if theirs)
    advice = "bars need every one of these columns; `columns: {ours: theirs}` renames them"
    return InvalidBarsError(
        f"this file has no column {', '.join(mapping.get(ours, ours) for ours in missing)}",
        expected=", ".join(mapping.get(ours, ours) for ours in REQUIRED_COLUMNS),
        found=", ".join(file_columns),
        where=str(path),
        fix=f"add `columns: {{{fitting}}}` to the files source" if fitting else advice,
    )


def _suggest_column(ours: str, file_columns: Sequence[str]) -> str | None:
    known = (*_ALIASES[ours], *_SUGGESTED_ALIASES.get(ours, ()))
    return next((name for name in file_columns if _normalise_name(name) in known), None)
