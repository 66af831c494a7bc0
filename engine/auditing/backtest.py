"""A backtest that another tool made, as far as its file shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from engine.auditing.positions import HeldPositions


@dataclass(frozen=True, eq=False)
class AuditedBacktest:
    """What a file of results holds.

    Attributes:
        source: The format that the file was read as.
        returns: Net simple return of each bar; index of UTC timestamps, ascending, each once; no
            NaN, none below -1.
        round_trips: Finished round trips; None where the file has no trades.
        variants: Net returns of other variants on the same bars, a column each, as tries; None
            where the file has none.
        by_exits: Whether returns are those of closed trades on the days of their exits, so that
            what happened while a trade was open is not in them.
        held: The positions, where they are known at every bar.
        notes: What was chosen or left out while reading, a sentence each without a full stop.
    """

    source: str
    returns: pd.Series[float] = field(repr=False)
    round_trips: int | None = None
    variants: pd.DataFrame | None = field(default=None, repr=False)
    by_exits: bool = False
    held: HeldPositions | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
