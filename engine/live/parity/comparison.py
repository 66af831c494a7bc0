"""Compares the values of the live path with those of other paths to the last bit."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.live.parity.values import KINDS
from engine.runs.documents.live_path import FirstDifference, ValueCounts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pandas as pd

    from engine.live.parity.values import PathValues, ValueKey, Values


@dataclass(frozen=True, eq=False)
class OtherPath:
    """A path that the live path is compared with.

    Attributes:
        name: For the report.
        values: Its values; a kind that it lacks is not compared.
        equity_names: Names of its values of the kind `equity`; None where it has all of them.
    """

    name: str
    values: PathValues
    equity_names: Collection[str] | None = None


@dataclass(frozen=True)
class Comparison:
    """How many values of the live path were compared, and how many differ.

    Attributes:
        compared: By kind.
        differing: By kind: other bits, or only one path has the value.
        first: The earliest that differs; at one bar the first in the order of `KINDS`.
    """

    compared: ValueCounts
    differing: ValueCounts
    first: FirstDifference | None


def compare_paths(live: PathValues, others: Iterable[OtherPath]) -> Comparison:
    """Compares the live path, which has every kind of values, with others."""
    compared, differing = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    found: list[tuple[pd.Timestamp, int, FirstDifference]] = []
    for other in others:
        for place, kind in enumerate(KINDS):
            if kind not in other.values:
                continue
            ours, theirs = _in_common(live[kind], kind, other), other.values[kind]
            keys = dict.fromkeys((*theirs, *ours))
            wrong = [key for key in keys if not _same_bits(ours.get(key), theirs.get(key))]
            compared[kind] += len(keys)
            differing[kind] += len(wrong)
            if wrong:
                first = min(wrong)
                found.append((first[0], place, _describe(first, kind, ours, theirs, other.name)))
    earliest = min(found, key=lambda each: each[:2])[2] if found else None
    return Comparison(ValueCounts(**compared), ValueCounts(**differing), earliest)


def _in_common(values: Values, kind: str, other: OtherPath) -> Values:
    """The values of a kind of which the other path has such ones."""
    if kind != "equity" or other.equity_names is None:
        return values
    return {key: value for key, value in values.items() if key[2] in other.equity_names}


def _same_bits(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return False
    return struct.pack("<d", one) == struct.pack("<d", other)


def _describe(
    key: ValueKey, kind: str, ours: Values, theirs: Values, compared_with: str
) -> FirstDifference:
    bar, symbol, name = key
    return FirstDifference(
        bar=bar.isoformat(),
        kind=kind,
        symbol=symbol,
        name=name,
        live=ours.get(key),
        backtest=theirs.get(key),
        compared_with=compared_with,
    )
