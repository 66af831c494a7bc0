"""Errors of costs that are of volumes, at bars whose volume is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import InvalidBarsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from engine.core.types import BoolVector


def describe_unknown(symbol: str, unknown: BoolVector, index: pd.Index) -> str:
    """At how many bars the volume of a symbol is not known, and the first of them."""
    first = index[int(np.argmax(unknown))]
    return f"{symbol} at {int(unknown.sum())} of {len(unknown)} bars, the first {first}"


def missing_volume(unknown: Iterable[str], name: str) -> InvalidBarsError:
    """The error of costs that are of volumes, at bars whose volume is not known.

    Args:
        unknown: Each symbol and its bars.
        name: Table.
    """
    key = {"impact": "costs.impact", "limit": "costs.max_participation"}[name]
    return InvalidBarsError(
        "a symbol has no volume, which its costs are of",
        expected="bars with the units that were traded; a volume of 0 where bars moved all the "
        "same, or before the first volume, says nothing",
        found=f"no volume of {'; '.join(unknown)}",
        where=key,
        fix=f"take a source with volumes, or leave {key} out",
    )
