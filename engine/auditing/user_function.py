"""A user's own function of bars: loaded from its file, called on copies, its output as numbers."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix


def load_function(reference: str) -> Callable[[pd.DataFrame], Any]:
    """The function of `FILE.py:NAME`; the file is run as the user's own code.

    Raises:
        UsageError: There is no such file or function, or the file fails.
    """
    file, colon, name = reference.rpartition(":")
    path = Path(file)
    if not colon or path.suffix != ".py" or not path.is_file():
        raise UsageError(
            "the function is not named as FILE.py:FUNCTION",
            expected="a Python file that exists, a colon, and the name of a function in it",
            found=reference,
            where="the first argument",
            fix="such as features.py:make_features",
        )
    spec = spec_from_file_location(f"_audited_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise _failed(path, "Python cannot import it")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickles of the file look it up
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's file may raise anything
        raise _failed(path, f"{type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    function: Callable[[pd.DataFrame], Any] | None = getattr(module, name, None)
    if not callable(function):
        functions = [key for key, value in vars(module).items() if callable(value)]
        raise UsageError(
            f"the file has no function {name}",
            expected="the name of a function of one argument, the bars",
            found=", ".join(each for each in functions if not each.startswith("_"))[:300],
            where=str(path),
            fix="name one of them",
        )
    return function


def _failed(path: Path, found: str) -> UsageError:
    return UsageError(
        "the audited file fails",
        expected="a file that can be imported",
        found=found[:500],
        where=str(path),
        fix="correct the file",
    )


class FunctionRunner:
    """Calls a function on copies of bars and counts the calls.

    Args:
        function: The user's.
        bars: Index timestamp, a column a value; float64.

    Attributes:
        columns: Of the output on all bars.
        calls: Number of calls so far.
    """

    def __init__(self, function: Callable[[pd.DataFrame], Any], bars: pd.DataFrame) -> None:
        self._function = function
        self.calls = 0
        self.columns: tuple[str, ...] = ()
        self.bars = bars
        self.full = self.run(bars)

    def run(self, bars: pd.DataFrame) -> Matrix:
        """(n, k) the output at each bar; NaN where it has no row.

        Raises:
            UsageError: The function fails, or its output is not aligned to the bars.
        """
        self.calls += 1
        try:
            output = self._function(bars.copy())
        except Exception as error:  # a user's function may raise anything
            raise UsageError(
                "the audited function fails",
                expected="a value for each bar",
                found=f"{type(error).__name__}: {error}"[:500],
                where=f"called with {len(bars):,} bars",
                fix="correct the function",
            ) from error
        frame = self._to_frame(output, bars)
        columns = tuple(map(str, frame.columns))
        if not self.columns:
            self.columns = columns
        if columns != self.columns:
            frame.columns = pd.Index(columns)
            frame = frame.reindex(columns=list(self.columns))
        arrays = [_to_numbers(frame.iloc[:, place]) for place in range(frame.shape[1])]
        return np.column_stack(arrays)

    def _to_frame(self, output: object, bars: pd.DataFrame) -> pd.DataFrame:
        if isinstance(output, pd.Series):
            output = output.to_frame("output" if output.name is None else str(output.name))
        if isinstance(output, np.ndarray) and output.ndim in {1, 2} and len(output) == len(bars):
            output = pd.DataFrame(output, index=bars.index)
        if (
            isinstance(output, pd.DataFrame)
            and output.shape[1]
            and output.index.is_unique
            and output.index.isin(bars.index).all()
        ):
            return output if output.index.equals(bars.index) else output.reindex(bars.index)
        found = type(output).__name__
        if isinstance(output, pd.DataFrame | pd.Series | np.ndarray):
            found += f" of {len(output):,} rows"
        raise UsageError(
            "the output of the function is not aligned to the bars",
            expected=f"a Series or DataFrame with the index of the {len(bars):,} bars",
            found=found,
            where="the value that the function returns",
            fix="return one row a bar, NaN where a value is not known yet",
        )


def _to_numbers(column: pd.Series) -> Matrix:
    """Numbers as they are; of other values a number that is equal where they are."""
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column, dtype=np.float64)
    if column.dtype.kind in "mM":
        return np.asarray(column.astype("int64"), dtype=np.float64)
    hashed = pd.util.hash_array(column.astype("str").to_numpy(dtype=object))
    return (hashed >> np.uint64(11)).astype(np.float64)
