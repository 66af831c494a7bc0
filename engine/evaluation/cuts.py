"""After which bars the leak certificate puts other ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from engine.types import Rows

Kind: TypeAlias = Literal[
    "before the first window",
    "window start",
    "inside a window",
    "window end",
    "quiet bar",
    "coarser bar complete",
]
"""What is particular about a cut.

A `window start` keeps one bar of a window's test part. A `window end` keeps all of them and is the
bar before the next window begins: all that the next fit may learn from is known, and nothing more.
A `quiet bar` had no volume or did not move, as bars that somebody filled in do.
"""

SPREAD = 8
"""Cuts that are spread over the windows; there are further ones for what only they can see."""

_TURN: tuple[Kind, ...] = (
    *("window start", "window end", "inside a window", "window end"),
    *("inside a window", "window start", "window end", "inside a window"),
)
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, order=True)
class Cut:
    """Everything up to the close of `row` is kept, every later bar is another one.

    Attributes:
        row: Position among all bars.
        kind: What is particular about it.
    """

    row: int
    kind: Kind


def choose_cuts(
    tests: Sequence[range],
    *,
    quiet: npt.NDArray[np.bool_] | None = None,
    known: Sequence[Rows] = (),
) -> tuple[Cut, ...]:
    """Cuts from the bar before the first test part to the last but one of all.

    `SPREAD` of them go over the windows from the first to the last, taking turns between the first
    bar of a window, bars inside and its last bar; where a window has no such bar left, the
    free bar closest to the middle of the widest gap is taken. One stands before the first window,
    one at a quiet bar, one at the close that makes a bar of each coarser interval known. The last
    bar of all is no cut: nothing comes after it.

    Args:
        tests: The windows' test parts, which tile the out-of-sample bars.
        quiet: (n,) of all bars, those without volume or movement.
        known: A coarser interval each: (n,) position of its newest bar known at each close.

    Returns:
        In time order, no row twice; fewer where there are not so many bars.
    """
    first, last = tests[0].start, tests[-1].stop - 2
    taken: dict[int, Kind] = {first - 1: "before the first window"}
    for row, kind in _particular(first, last, quiet, known):
        taken.setdefault(row, kind)
    wanted = min(len(taken) + SPREAD, last - first + 2)
    for turn, kind in enumerate(_TURN):
        window = tests[round(turn * (len(tests) - 1) / (SPREAD - 1))]
        row = _row(window, kind, (turn * _GOLDEN) % 1.0)
        if first <= row <= last:
            taken.setdefault(row, kind)
    while len(taken) < wanted:
        row = _in_widest_gap(sorted(taken), last)
        taken[row] = _kind_of(row, tests)
    return tuple(Cut(row, kind) for row, kind in sorted(taken.items()))


def _particular(
    first: int, last: int, quiet: npt.NDArray[np.bool_] | None, known: Sequence[Rows]
) -> Iterator[tuple[int, Kind]]:
    """One bar of each kind that a spread over the windows would hardly meet."""
    if quiet is not None and len(rows := np.flatnonzero(quiet[first : last + 1])):
        yield first + int(rows[len(rows) // 2]), "quiet bar"
    for latest in known:
        steps = np.flatnonzero(np.diff(latest[first - 1 : last + 1]))
        if len(steps):
            yield first + int(steps[len(steps) // 2]), "coarser bar complete"


def _row(window: range, kind: Kind, share: float) -> int:
    if kind == "window start":
        return window.start
    if kind == "window end":
        return window.stop - 1
    return window.start + int(share * len(window))


def _in_widest_gap(taken: Sequence[int], last: int) -> int:
    """The middle of the longest run of rows that are free."""
    edges = [*taken, last + 1]
    widths = [after - before for before, after in pairwise(edges)]
    place = int(np.argmax(widths))
    return edges[place] + max(1, widths[place] // 2)


def _kind_of(row: int, tests: Sequence[range]) -> Kind:
    window = next(test for test in tests if row in test)
    if row == window.start:
        return "window start"
    return "window end" if row == window.stop - 1 else "inside a window"
