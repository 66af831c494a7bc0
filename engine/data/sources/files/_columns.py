"""Matches the columns of a file with those of bars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import InvalidBarsError
from engine.core.types import PRICE_COLUMNS
from engine.data.bars import EVENT_COLUMNS, RANGE_COLUMNS
from engine.data.sources.files._cells import looks_like_date, looks_like_time
from engine.data.sources.files._column_names import (
    ALIASES,
    SUGGESTED_ALIASES,
    UNNAMED,
    find_prefixed,
    is_called,
    is_known_name,
    normalise_name,
    simplify_name,
)
from engine.data.sources.files._order import suggest_names
from engine.data.sources.files._shown import list_names, write_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from engine.data.files_config import FilesSourceSpec

_REPEATED = re.compile(r"\.\d+$")
"""The end of a name that a header has twice: `Close.1`."""

Sampler = "Callable[[str], Sequence[str]]"


@dataclass(frozen=True)
class ColumnMatch:
    """The columns of the file for each column of bars.

    Attributes:
        file_names: Column of bars to its column of the file: all that bars need, and those of
            `EVENT_COLUMNS` that the file has. A timestamp may have two: a date and a time.
        notices: One sentence for each choice that a reader may not expect.
    """

    file_names: dict[str, tuple[str, ...]]
    notices: tuple[str, ...]


def required_columns(spec: FilesSourceSpec) -> tuple[str, ...]:
    """The columns of bars that a file must have."""
    return ("timestamp", *spec.value_columns)


def has_all_columns(file_columns: Sequence[str], spec: FilesSourceSpec) -> bool:
    """Whether these names have every column of bars, each perhaps more than once."""
    return all(_find_candidates(ours, file_columns, spec) for ours in required_columns(spec))


def match_columns(
    path: Path,
    file_columns: Sequence[str],
    spec: FilesSourceSpec,
    sample: Callable[[str], Sequence[str]],
) -> ColumnMatch:
    """Finds the columns of bars among those of a file.

    In order of precedence: the column that the source maps, the column with exactly the name, the
    column with an accepted name. A first column without a name is the timestamp if no other can
    be and its first cell is a date.

    Args:
        path: The file, for messages.
        file_columns: Its columns.
        spec: The source: its mapping, and whether it has no volume.
        sample: The first cells of a column, as text.

    Raises:
        InvalidBarsError: A column is missing, two columns match, or the volume is a price.
    """
    required = required_columns(spec)
    candidates = {
        ours: _find_candidates(ours, file_columns, spec) for ours in (*required, *EVENT_COLUMNS)
    }
    unnamed = _unnamed_timestamp(candidates["timestamp"], file_columns, spec, sample)
    candidates["timestamp"] = candidates["timestamp"] or unnamed
    wanted = [*required, *(ours for ours in EVENT_COLUMNS if ours in spec.columns)]
    missing = [ours for ours in wanted if not candidates[ours]]
    ambiguous = [ours for ours in wanted if len(candidates[ours]) > 1]
    if missing:
        raise _missing_columns_error(path, file_columns, spec, candidates, missing, sample)
    for ours in ambiguous:
        raise _ambiguous_column_error(path, ours, [name for (name,) in candidates[ours]], sample)
    chosen = {ours: names[0] for ours, names in candidates.items() if len(names) == 1}
    _require_no_price_as_volume(path, chosen)
    return ColumnMatch(chosen, _make_notices(chosen, spec))


def _find_candidates(
    ours: str, file_columns: Sequence[str], spec: FilesSourceSpec
) -> list[tuple[str, ...]]:
    """The columns of the file that may be ours; two together for a date and a time."""
    theirs = next((names for name, names in spec.columns.items() if name == ours), None)
    if theirs is not None:
        wanted = (theirs,) if isinstance(theirs, str) else theirs
        found = tuple(_find_mapped(name, file_columns) for name in wanted)
        return [tuple(name for name in found if name is not None)] if None not in found else []
    exact: list[tuple[str, ...]] = [
        (name,) for name in file_columns if _REPEATED.sub("", name) == ours
    ]
    if exact:
        return exact
    known = ALIASES[ours]
    return [(n,) for n in file_columns if normalise_name(_REPEATED.sub("", n)) in known]


def _find_mapped(name: str, file_columns: Sequence[str]) -> str | None:
    """The column of exactly this name; spaces around it do not count, and no name is `""`."""
    wanted = name.strip() or UNNAMED
    return next((column for column in file_columns if column.strip() == wanted), None)


def _unnamed_timestamp(
    known: list[tuple[str, ...]],
    file_columns: Sequence[str],
    spec: FilesSourceSpec,
    sample: Callable[[str], Sequence[str]],
) -> list[tuple[str, ...]]:
    if known or "timestamp" in spec.columns or UNNAMED not in file_columns:
        return []
    first = next(iter(sample(UNNAMED)), "")
    return [(UNNAMED,)] if looks_like_date(first) else []


def _make_notices(chosen: Mapping[str, tuple[str, ...]], spec: FilesSourceSpec) -> tuple[str, ...]:
    notices = []
    (time, *_), adjusted = chosen["timestamp"], chosen.get("adj_close")
    if "timestamp" not in spec.columns and normalise_name(time) != "timestamp":
        unnamed = "the first column, which has no name,"
        words = unnamed if time == UNNAMED else f"the column {time}"
        notices.append(f"{words} is read as the timestamp")
    if adjusted is not None:
        notices.append(
            f"prices are read from the column {chosen['close'][0]}, not from {adjusted[0]}"
        )
    return tuple(notices)


def _require_no_price_as_volume(path: Path, chosen: Mapping[str, tuple[str, ...]]) -> None:
    volume = chosen.get("volume")
    prices = [ours for ours in PRICE_COLUMNS if ours in chosen]
    price = next((ours for ours in prices if chosen[ours] == volume), None)
    # One number for all five, such as a row number, says that only the timestamps matter.
    is_price = price is not None and (
        len({chosen[ours] for ours in prices}) > 1 or is_known_name(chosen[price][0])
    )
    if price is not None and is_price:
        raise InvalidBarsError(
            f"the column {chosen[price][0]} is the {price} and the volume at once",
            expected="a column of volumes",
            where=str(path),
            fix="if the file has no volume, take `volume` out of `columns` and add `volume: none` "
            "to the files source",
        )


def _ambiguous_column_error(
    path: Path, ours: str, names: Sequence[str], sample: Callable[[str], Sequence[str]]
) -> InvalidBarsError:
    pair = find_date_and_time(names, sample) if ours == "timestamp" else None
    if pair:
        fix = f"add {write_columns({ours: pair})}"
    else:
        choices = " or ".join(write_columns({ours: name}) for name in names)
        fix = f"say which: add {choices}"
    return InvalidBarsError(
        f"this file has {len(names)} columns that may be {ours}",
        expected="a date and a time in one column, or both named" if pair else f"one {ours}",
        found=", ".join(names),
        where=str(path),
        fix=f"{fix} to the files source",
    )


def find_date_and_time(
    names: Sequence[str], sample: Callable[[str], Sequence[str]]
) -> tuple[str, str] | None:
    """The column of dates and the column of times of the day among these, if there are both."""
    times = [name for name in names if _has_times(name, sample(name))]
    dates = [
        name
        for name in names
        if name not in times and all(looks_like_date(cell) for cell in sample(name)[:1])
    ]
    return (dates[0], times[0]) if dates and times else None


def _has_times(name: str, cells: Sequence[str]) -> bool:
    """Whether cells are 09:30, or 930 and 93000 in a column that is called a time."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled:
        return False
    digits = all(cell.isdigit() and len(cell) <= 6 for cell in filled)
    return all(map(looks_like_time, filled)) or (digits and normalise_name(name) == "time")


def _missing_columns_error(
    path: Path,
    file_columns: Sequence[str],
    spec: FilesSourceSpec,
    candidates: Mapping[str, list[tuple[str, ...]]],
    missing: Sequence[str],
    sample: Callable[[str], Sequence[str]],
) -> InvalidBarsError:
    wanted: dict[str, str] = {ours: ours for ours in required_columns(spec)}
    for mapped, theirs in spec.columns.items():
        wanted[mapped] = theirs if isinstance(theirs, str) else " and ".join(theirs)
    suggestions: dict[str, str | tuple[str, str]] = {}
    if spec.header == "none":
        suggestions = _suggest_by_values(file_columns, missing, sample)
    for ours in required_columns(spec):
        names = [name for (name, *_) in candidates[ours]]
        if ours in suggestions:
            continue
        if ours in missing:
            found = _suggest_column(ours, file_columns, sample)
        elif len(names) > 1:
            found = find_date_and_time(names, sample) or names[0]
        else:
            continue
        if found:
            suggestions[ours] = found
    return InvalidBarsError(
        f"this file has no column {', '.join(wanted[ours] or UNNAMED for ours in missing)}",
        expected=", ".join(wanted[ours] for ours in required_columns(spec)),
        found=list_names(file_columns),
        where=str(path),
        fix=_advise(
            suggestions,
            [ours for ours in missing if ours not in suggestions],
            is_single=len(file_columns) == 1,
        ),
    )


def _suggest_by_values(
    file_columns: Sequence[str], missing: Sequence[str], sample: Callable[[str], Sequence[str]]
) -> dict[str, str | tuple[str, str]]:
    """The columns of a file without names, as the values of its first bars show them."""
    rows = list(zip(*(sample(name) for name in file_columns), strict=False))
    by_name = dict(zip(suggest_names(rows), file_columns, strict=True)) if rows else {}
    found: dict[str, str | tuple[str, str]] = {n: by_name[n] for n in missing if n in by_name}
    if "timestamp" in missing and "time" in by_name:
        found = {"timestamp": (by_name["date"], by_name["time"]), **found}
    return found


def _advise(
    suggestions: Mapping[str, str | tuple[str, str]], unknown: Sequence[str], *, is_single: bool
) -> str:
    advice: list[str] = []
    if is_single:
        return (
            "separate the cells with a comma, semicolon, tab or vertical bar; or correct `skip`, "
            "if the line with the names comes later"
        )
    if suggestions:
        advice.append(f"add {write_columns(suggestions)} to the files source")
    lacking = [
        ("`prices: close`", "its only price is a close", set(RANGE_COLUMNS)),
        ("`volume: none`", "the file has no volume", {"volume"}),
    ]
    declared: set[str] = set()
    for key, reason, columns in lacking:
        if columns <= set(unknown):
            where = "" if advice else " to the files source"
            advice.append(f"add {key}{where} if {reason}")
            declared |= columns
    others = [ours for ours in unknown if ours not in declared]
    if others:
        advice.append(
            f"bars need {', '.join(others)} too; `columns: {{{others[0]}: NAME}}` maps one column "
            "of the file"
        )
    return "; ".join(advice)


def _suggest_column(
    ours: str, file_columns: Sequence[str], sample: Callable[[str], Sequence[str]]
) -> str | tuple[str, str] | None:
    if ours == "timestamp" and (pair := find_date_and_time(file_columns, sample)):
        return pair
    known = (*ALIASES[ours], *SUGGESTED_ALIASES.get(ours, ()))
    names = [name for name in file_columns if is_called(name, known)]
    if ours == "timestamp":
        # A first column without a name may also number the rows.
        names = [n for n in names if n != UNNAMED or any(map(looks_like_date, sample(n)[:1]))]
    if ours == "volume":
        names += [name for name in file_columns if simplify_name(name).startswith("vol")]
        names.sort(key=lambda name: all(_is_zero(cell) for cell in sample(name)))
    return next(iter(names), None) or find_prefixed(ours, file_columns)


def _is_zero(cell: str) -> bool:
    return cell.strip().strip("0.") == ""
