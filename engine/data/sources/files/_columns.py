"""Matches the columns of a file with those of bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import InvalidBarsError
from engine.data.bars import EVENT_COLUMNS, VALUE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

REQUIRED_COLUMNS = ("timestamp", *VALUE_COLUMNS)

# Accepted names, ignoring case, spaces, underscores and hyphens: names with one meaning only.
# `Price`, `Last`, `Close Time` or `Volume BTC` must be mapped.
_ALIASES = {
    "timestamp": ("timestamp", "date", "datetime", "time", "opentime", "unix", "unixtimestamp"),
    **{name: (name,) for name in VALUE_COLUMNS},
    "adj_close": ("adjclose", "adjustedclose"),
    "dividends": ("dividend", "dividends"),
    "split": ("split", "splits", "stocksplit", "stocksplits"),
}

# Names that an error message suggests and that are not accepted.
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
    """The column of the file for each column of bars.

    Attributes:
        file_names: Column of bars to column of the file: all six, and those of `EVENT_COLUMNS`
            that the file has.
        notices: One sentence for each choice that a reader may not expect.
    """

    file_names: dict[str, str]
    notices: tuple[str, ...]


def match_columns(
    path: Path, file_columns: Sequence[str], mapping: Mapping[str, str]
) -> ColumnMatch:
    """Finds the columns of bars among those of a file.

    In order of precedence: the column that the source maps, the column with exactly the name, the
    column with an accepted name.

    Args:
        path: The file, for messages.
        file_columns: Its columns.
        mapping: Column of bars to column of the file, from the source.

    Raises:
        InvalidBarsError: A column is missing, or two columns match.
    """
    candidates = {
        ours: _find_candidates(ours, file_columns, mapping)
        for ours in (*REQUIRED_COLUMNS, *EVENT_COLUMNS)
    }
    wanted = [*REQUIRED_COLUMNS, *(ours for ours in EVENT_COLUMNS if ours in mapping)]
    missing = [ours for ours in wanted if not candidates[ours]]
    if missing:
        raise _missing_columns_error(path, file_columns, mapping, missing)
    for ours in wanted:
        names = candidates[ours]
        if len(names) > 1:
            choices = " or ".join(f"`columns: {{{ours}: {name}}}`" for name in names)
            raise InvalidBarsError(
                f"this file has {len(names)} columns that may be {ours}",
                expected=f"one {ours}",
                found=", ".join(names),
                where=str(path),
                fix=f"say which: add {choices} to the files source",
            )
    chosen = {ours: names[0] for ours, names in candidates.items() if len(names) == 1}
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
    notices = []
    time, adjusted = chosen["timestamp"], chosen.get("adj_close")
    if "timestamp" not in mapping and _normalise_name(time) != "timestamp":
        notices.append(f"the column {time} is read as the timestamp")
    if adjusted is not None:
        notices.append(f"prices are read from the column {chosen['close']}, not from {adjusted}")
    return tuple(notices)


def _missing_columns_error(
    path: Path, file_columns: Sequence[str], mapping: Mapping[str, str], missing: Sequence[str]
) -> InvalidBarsError:
    suggestions = {ours: _suggest_column(ours, file_columns) for ours in missing}
    mapped = ", ".join(f"{ours}: {theirs}" for ours, theirs in suggestions.items() if theirs)
    advice = "bars need all of these columns; `columns: {open: NAME}` maps one of the file"
    return InvalidBarsError(
        f"this file has no column {', '.join(mapping.get(ours, ours) for ours in missing)}",
        expected=", ".join(mapping.get(ours, ours) for ours in REQUIRED_COLUMNS),
        found=", ".join(file_columns),
        where=str(path),
        fix=f"add `columns: {{{mapped}}}` to the files source" if mapped else advice,
    )


def _suggest_column(ours: str, file_columns: Sequence[str]) -> str | None:
    known = (*_ALIASES[ours], *_SUGGESTED_ALIASES.get(ours, ()))
    return next((name for name in file_columns if _normalise_name(name) in known), None)
