"""Asks a function of bars whether a value depends on later bars.

Three experiments: bars that end early (truncation), bars that go on otherwise after a cut, and
bars of which single ones are altered far enough from each other that the value before each can
only change by look-ahead. What the last one suspects is confirmed by one of the first two, so that
a function that remembers longer than it seems is never accused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.auditing.code_cuts import choose_rows
from engine.auditing.user_function import FunctionRunner
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix

CUTS = 128
"""Prefixes of a function that remembers without bound."""

_FIRST_CUTS, _ALTERED_CALLS, _CONFIRMED = 32, 64, 4
_CONFIRMATIONS = 16
_MIN_BARS = 60
_FALL, _RISE, _VOLUME = 0.7, 1.4, 3.0
_RELATIVE, _OF_SCALE = 1e-9, 1e-12
_MEMORY_PLACES = (0.35, 0.6, 0.85)
_LONGEST_MEMORY = 0.25
_SEED = 0


@dataclass(frozen=True)
class CodeFinding:
    """A value that depends on later bars.

    Attributes:
        column: Of the output.
        experiment: `truncation` or `other future`.
        row: Bar of the value.
        known_until: The last bar that both calls have in common.
        value: With all bars.
        other: With bars that end there, or go on otherwise.
        first: First bar of the smallest reproduction.
        last: Its last bar: without the bars after `known_until` the value is another one.
    """

    column: str
    experiment: str
    row: pd.Timestamp
    known_until: pd.Timestamp
    value: float
    other: float
    first: pd.Timestamp
    last: pd.Timestamp

    def describe(self) -> str:
        """The finding and the shortest bars that show it, as text."""
        what = (
            f"{self.column} at {self.row} is {self.value:.10g}, and {self.other:.10g} "
            f"{'without' if self.experiment == 'truncation' else 'with other'} bars after "
            f"{self.known_until}"
        )
        return (
            f"{what}\n"
            f"  f(bars[{str(self.first)!r}:{str(self.last)!r}]) differs there from\n"
            f"  f(bars[{str(self.first)!r}:{str(self.known_until)!r}])"
        )


@dataclass(frozen=True)
class CodeProbe:
    """The result of a probe.

    Attributes:
        findings: One a column that looks ahead.
        columns: Of the output.
        bars: Number of bars.
        probed: Bars at whose value look-ahead of one bar would have been found.
        memory: Bars that a value depends on, as far as was seen; None without bound.
        calls: Number of calls.
        failed: Calls with fewer bars that failed, which were not assessed.
    """

    findings: tuple[CodeFinding, ...]
    columns: tuple[str, ...]
    bars: int
    probed: int
    memory: int | None
    calls: int
    failed: int


def probe_function(
    function: Callable[[pd.DataFrame], object], bars: pd.DataFrame, cuts: int = CUTS
) -> CodeProbe:
    """Probes a function of bars.

    Args:
        function: Of a frame of bars to a Series, a frame or an array, a row a bar.
        bars: Index of ascending timestamps, columns of numbers.
        cuts: Most prefixes.

    Raises:
        UsageError: There are fewer than 60 bars, the function fails on all of them, its output is
            not aligned, or two calls with the same bars differ.
    """
    if len(bars) < _MIN_BARS:
        raise UsageError(
            "there are too few bars to probe a function",
            expected=f"at least {_MIN_BARS}",
            found=f"{len(bars)}",
            where="the bars",
            fix="use a longer span",
        )
    return _Probing(FunctionRunner(function, bars.astype("float64")), cuts).run()


class _Probing:
    def __init__(self, runner: FunctionRunner, cuts: int) -> None:
        self.runner, self.bars, self.full, self.cuts = runner, runner.bars, runner.full, cuts
        self.scale = np.nanmax(np.abs(np.where(np.isfinite(self.full), self.full, 0.0)), axis=0)
        self.rng = np.random.default_rng(_SEED)
        self.found: dict[int, CodeFinding] = {}
        self.probed = np.zeros(len(self.bars), dtype=bool)
        self.failed = self.confirmations = 0

    def run(self) -> CodeProbe:
        self._require_repeatable()
        rows = choose_rows(self.bars, self.full, self.cuts, self.rng)
        shuffled = self.rng.permutation(rows)
        self._truncate(shuffled[:_FIRST_CUTS])
        memory = self._measure_memory()
        self._alter(memory)
        if not self.probed[:-1].all():
            self._truncate(shuffled[_FIRST_CUTS:])
        return CodeProbe(
            findings=tuple(self.found[column] for column in sorted(self.found)),
            columns=self.runner.columns,
            bars=len(self.bars),
            probed=int(self.probed.sum()),
            memory=memory,
            calls=self.runner.calls,
            failed=self.failed,
        )

    def _require_repeatable(self) -> None:
        if self._differs(self.runner.run(self.bars), self.full).any():
            raise UsageError(
                "two calls of the function with the same bars differ",
                expected="the same output for the same bars",
                found="another one",
                where="the audited function",
                fix="fix its random seed, and keep nothing between calls",
            )

    def _differs(self, some: Matrix, others: Matrix) -> npt.NDArray[np.bool_]:
        """Where values differ by more than rounding, or one alone is missing."""
        with np.errstate(invalid="ignore"):
            allowed = _RELATIVE * np.maximum(np.abs(some), np.abs(others))
            far = np.abs(some - others) > np.maximum(allowed, _OF_SCALE * self.scale)
        far &= np.isfinite(some) & np.isfinite(others)
        same = (some == others) | (np.isnan(some) & np.isnan(others))
        either = ~(np.isfinite(some) & np.isfinite(others))
        differing: npt.NDArray[np.bool_] = far | (either & ~same)
        return differing

    def _try(self, bars: pd.DataFrame) -> Matrix | None:
        try:
            return self.runner.run(bars)
        except UsageError:
            self.failed += 1
            return None

    def _truncate(self, rows: IntVector) -> None:
        for row in rows.tolist():
            if len(self.found) == len(self.runner.columns):
                return
            output = self._try(self.bars.iloc[: row + 1])
            if output is not None:
                self.probed[row] = True
                self._note(output, row, "truncation")

    def _note(self, output: Matrix, row: int, experiment: str) -> bool:
        """Notes the columns that differ at or before a row; whether there are any."""
        differing = self._differs(output[: row + 1], self.full[: row + 1])
        for column in np.flatnonzero(differing.any(axis=0)).tolist():
            if column not in self.found:
                at = int(np.flatnonzero(differing[:, column])[-1])
                self.found[column] = self._reduce(column, at, row, output[at, column], experiment)
        return bool(differing.any())

    def _measure_memory(self) -> int | None:
        """Bars after a single altered one until the output is as before; None without bound."""
        longest = 0
        for place in _MEMORY_PLACES:
            row = int(place * len(self.bars))
            output = self._try(self._altered(np.array([row]), flip=False))
            if output is None:
                return None
            self._note(output, row - 1, "other future")
            changed = np.flatnonzero(self._differs(output, self.full).any(axis=1))
            longest = max(longest, int(changed.max(initial=row)) - row)
        return longest if longest <= _LONGEST_MEMORY * len(self.bars) else None

    def _altered(self, rows: IntVector, *, flip: bool) -> pd.DataFrame:
        """Bars of which some move against their own direction, or further along it."""
        bars = self.bars.copy()
        values = bars.to_numpy(dtype=np.float64, copy=True)
        names = [str(name).lower() for name in bars.columns]
        close = next((place for place, name in enumerate(names) if "close" in name), 0)
        rises = values[rows, close] >= values[np.maximum(rows - 1, 0), close]
        factor = np.where(rises != flip, _FALL, _RISE)
        for place, name in enumerate(names):
            values[rows, place] *= _VOLUME if "vol" in name else factor
        return pd.DataFrame(values, index=bars.index, columns=bars.columns)

    def _alter(self, memory: int | None) -> None:
        """Alters single bars so far from each other that a value sees one of them at most."""
        if memory is None:
            return
        spacing = memory + 2
        offsets = self.rng.permutation(spacing)[:_ALTERED_CALLS]
        rounds = (False, True) if 2 * spacing <= _ALTERED_CALLS else (False,)
        for flip in rounds:
            for offset in offsets.tolist():
                if len(self.found) == len(self.runner.columns):
                    return
                rows = np.arange(offset, len(self.bars) - 1, spacing)
                output = self._try(self._altered(rows + 1, flip=flip))
                if output is None:
                    return
                suspected = self._differs(output[rows], self.full[rows])
                self.probed[rows[~suspected.any(axis=1)]] = True
                self._confirm(output, rows, suspected, flip=flip)

    def _confirm(
        self,
        output: Matrix,
        rows: IntVector,
        differing: npt.NDArray[np.bool_],
        *,
        flip: bool,
    ) -> None:
        """Confirms what an altered history suspects, the largest differences first."""
        left = [column for column in range(differing.shape[1]) if column not in self.found]
        if not differing[:, left].any():
            return
        with np.errstate(invalid="ignore"):
            size = np.nan_to_num(np.abs(output[rows] - self.full[rows]), nan=np.inf)
        asked = self.confirmations > 0  # another future costs as much as many short histories
        for row in self._ranked(rows, differing, size, left):
            if self.confirmations >= _CONFIRMATIONS:
                return
            self.confirmations += 1
            self.probed[row] = True
            cut = self._try(self.bars.iloc[: row + 1])
            if cut is not None and (self._note(cut, row, "truncation") or asked):
                continue
            asked = True
            after = np.arange(row + 1, len(self.bars))
            future = self._try(self._altered(after, flip=flip))
            if future is not None:
                self._note(future, row, "other future")

    def _ranked(
        self,
        rows: IntVector,
        differing: npt.NDArray[np.bool_],
        size: Matrix,
        left: list[int],
    ) -> Iterator[int]:
        """Rows to confirm: of each column not found yet those that differ most."""
        for column in left:
            places = np.flatnonzero(differing[:, column])
            ranked = places[np.argsort(-size[places, column], kind="stable")]
            for place in ranked[:_CONFIRMED].tolist():
                if column in self.found:
                    break
                yield int(rows[place])

    def _reduce(
        self, column: int, row: int, cut: int, other: float, experiment: str
    ) -> CodeFinding:
        """The finding with the shortest bars found that show it by truncation."""
        end, first = len(self.bars), 0
        for ahead in _doubling(2, len(self.bars) - cut):
            if self._shows(column, row, 0, cut, cut + ahead):
                end = cut + ahead
                break
        for back in _doubling(1, row + 1):
            if self._shows(column, row, row + 1 - back, cut, end):
                first = row + 1 - back
                break
        index = self.bars.index
        return CodeFinding(
            column=self.runner.columns[column],
            experiment=experiment,
            row=index[row],
            known_until=index[cut],
            value=float(self.full[row, column]),
            other=float(other),
            first=index[first],
            last=index[end - 1],
        )

    def _shows(self, column: int, row: int, first: int, cut: int, end: int) -> bool:
        short = self._try(self.bars.iloc[first : cut + 1])
        longer = self._try(self.bars.iloc[first:end])
        if short is None or longer is None:
            return False
        pair = (each[row - first : row - first + 1] for each in (short, longer))
        return bool(self._differs(*pair)[0, column])


def _doubling(start: int, stop: int) -> Iterator[int]:
    """`start`, then steps that double, then `stop`."""
    step = 1
    value = start
    while value < stop:
        yield value
        value, step = value + step, 2 * step
    yield stop
