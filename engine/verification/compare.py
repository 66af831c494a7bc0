"""The first difference between what was computed again and what a file has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.verification.result import RunDifference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from engine.core.types import Vector

RELATIVE_TOLERANCE = 1e-9
"""Largest relative difference of two numbers that count as equal."""

ABSOLUTE_TOLERANCE = 1e-14
"""And the largest absolute one: a return is a ratio of two equities, less 1."""

_NOTHING = "nothing"


def is_close(one: float, two: float) -> bool:
    """Whether two numbers are equal within rounding; two NaN are."""
    if math.isnan(one) or math.isnan(two):
        return math.isnan(one) and math.isnan(two)
    return math.isclose(one, two, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)


def compare_documents(
    file: str, expected: object, found: object, path: str = ""
) -> RunDifference | None:
    """The first figure of a document that is another, in the order of the keys.

    Args:
        file: Name of the document.
        expected: JSON values that were computed again.
        found: JSON values of the file.
        path: Of both in the document.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        return _compare_keys(file, expected, found, path)
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        return _compare_lists(file, expected, found, path)
    if _is_same(expected, found):
        return None
    return RunDifference(
        file, "another figure", path, expected=_as_text(expected), found=_as_text(found)
    )


def compare_tables(
    file: str,
    expected: pd.DataFrame,
    found: pd.DataFrame,
    *,
    bar: str | None = "timestamp",
    exact: bool = False,
) -> RunDifference | None:
    """The first cell of a table that is another, by rows; rows that are missing or too many.

    Args:
        file: Name of the table.
        expected: That was computed again.
        found: That of the file.
        bar: Column with the timestamp of a row; None where the index has it.
        exact: Whether numbers have to be equal to the last bit.
    """
    if list(expected.columns) != list(found.columns):
        return RunDifference(
            file,
            "other columns",
            expected=", ".join(map(str, expected.columns)),
            found=", ".join(map(str, found.columns)),
        )
    if bar is None:
        expected, found = _with_index(expected), _with_index(found)
        bar = str(expected.columns[0])
    rows = min(len(expected), len(found))
    columns = [_differing(expected[name], found[name], rows, exact=exact) for name in expected]
    row = min((int(each.argmax()) for each in columns if each.any()), default=None)
    if row is not None:
        name = next(n for n, each in zip(expected, columns, strict=True) if each[row])
        return RunDifference(
            file,
            f"row {row} is another",
            str(name),
            _as_text(found[bar].iloc[row]) if bar in found and name != bar else "",
            _as_text(expected[name].iloc[row]),
            _as_text(found[name].iloc[row]),
        )
    if len(expected) != len(found):
        longer = max(expected, found, key=len)
        stamp = _as_text(longer[bar].iloc[rows]) if bar in longer else ""
        return RunDifference(
            file, "rows", "", stamp, f"{len(expected):,} rows", f"{len(found):,} rows"
        )
    return None


def first(differences: Iterable[RunDifference | None]) -> RunDifference | None:
    """The first that there is; later ones are not made."""
    return next((each for each in differences if each is not None), None)


def first_of(*checks: Callable[[], RunDifference | None]) -> RunDifference | None:
    """The first difference of several checks, of which none is made after it."""
    return first(check() for check in checks)


def _compare_keys(
    file: str, expected: Mapping[str, Any], found: Mapping[str, Any], path: str
) -> RunDifference | None:
    for key in [*expected, *(key for key in found if key not in expected)]:
        inner = f"{path}.{key}" if path else str(key)
        if key not in found or key not in expected:
            there = found.get(key, expected.get(key))
            sides = (_NOTHING, _as_text(there))
            return RunDifference(
                file,
                "a key that is missing" if key not in found else "a key that is too many",
                inner,
                expected=sides[key in expected],
                found=sides[key in found],
            )
        if difference := compare_documents(file, expected[key], found[key], inner):
            return difference
    return None


def _compare_lists(
    file: str, expected: Sequence[Any], found: Sequence[Any], path: str
) -> RunDifference | None:
    pairs = zip(expected, found, strict=False)
    difference = first(
        compare_documents(file, one, two, f"{path}[{number}]")
        for number, (one, two) in enumerate(pairs)
    )
    if difference is not None or len(expected) == len(found):
        return difference
    counts = (f"{len(each)} entries" for each in (expected, found))
    return RunDifference(file, "a list of another length", path, "", *counts)


def _is_same(expected: object, found: object) -> bool:
    numbers = all(
        isinstance(each, int | float) and not isinstance(each, bool) for each in (expected, found)
    )
    if numbers:
        return is_close(float(expected), float(found))  # type: ignore[arg-type]  # numbers
    return type(expected) is type(found) and expected == found


def _differing(one: pd.Series[Any], two: pd.Series[Any], rows: int, *, exact: bool) -> Vector:
    """Whether each of the first rows differs, bool, shape (rows,)."""
    left, right = one.iloc[:rows], two.iloc[:rows]
    if not all(pd.api.types.is_numeric_dtype(each) for each in (left, right)):
        other = left.astype(object).to_numpy() != right.astype(object).to_numpy()
        return np.asarray(other & ~(left.isna() & right.isna()).to_numpy())
    values, others = (np.asarray(each, dtype=np.float64) for each in (left, right))
    unknown = np.isnan(values) & np.isnan(others)
    if exact:
        return np.asarray(~(unknown | (values == others)))
    return np.asarray(
        ~(unknown | np.isclose(values, others, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE))
    )


def _with_index(table: pd.DataFrame) -> pd.DataFrame:
    named = table.rename_axis(index="timestamp")
    return named.reset_index()


def _as_text(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{float(value):.17g}"
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return _NOTHING if value is None else str(value)


def describe_counts(counts: Sequence[tuple[int, str]]) -> str:
    """`7 books, 4,210 bars`."""
    return ", ".join(f"{count:,} {name}" for count, name in counts)
