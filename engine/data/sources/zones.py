"""Local times on the clock of a time zone, as instants in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.sources.unreadable import Complaint

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Mask = npt.NDArray[np.bool_]


def local_days(stamps: pd.Series, naive: Mask, zone: str) -> pd.Series:
    """Midnight UTC of the day that each stamp has in the zone.

    Args:
        stamps: UTC; naive ones are local times written as if they were.
        naive: Which ones are naive.
        zone: IANA name.
    """
    local = stamps.dt.tz_convert(zone).dt.tz_localize(None).dt.tz_localize("UTC")
    days: pd.Series = stamps.where(naive, local).dt.floor("D")
    return days


def to_instants(stamps: pd.Series, naive: Mask, zone: str) -> pd.Series | Complaint:
    """Local times as instants; others unchanged.

    An hour that the clock repeats in autumn is told apart by the order of the rows, where both
    of its runs are there.

    Args:
        stamps: UTC; naive ones are local times written as if they were.
        naive: Which ones are naive.
        zone: IANA name.
    """
    walls = stamps.dt.tz_localize(None)
    summer = _placed(walls, zone, is_summer=True)
    winter = _placed(walls, zone, is_summer=False)
    absent = (summer.isna().to_numpy()) & naive
    if absent.any():
        row = int(absent.argmax())
        return Complaint(
            row,
            f"{walls.iloc[row]}, a time that the clocks of {zone} left out that day",
            f"local times of {zone}",
            "correct `timezone` of the files source: stamps without a change of clocks are often "
            "UTC",
        )
    twice = (summer != winter).to_numpy() & naive
    first_pass, unclear = _first_passes(walls, twice)
    if unclear is not None:
        readings = f"{summer.iloc[unclear]:%H:%M} or {winter.iloc[unclear]:%H:%M} UTC"
        return Complaint(
            unclear,
            f"{walls.iloc[unclear]}, which is {readings}: the clocks of {zone} were set back",
            "both runs of the repeated hour, or times with their offset",
            "write the stamps in UTC or with their offset",
        )
    instants = winter.where(~first_pass, summer)
    return stamps.where(~naive, instants)


def _placed(walls: pd.Series, zone: str, *, is_summer: bool) -> pd.Series:
    which = np.full(len(walls), is_summer)
    placed = walls.dt.tz_localize(zone, ambiguous=which, nonexistent="NaT")
    instants: pd.Series = placed.dt.tz_convert("UTC")
    return instants


def _first_passes(walls: pd.Series, twice: Mask) -> tuple[Mask, int | None]:
    """Which repeated times are of the first run, and a row that cannot be told."""
    first = np.zeros(len(walls), dtype=bool)
    rows = np.flatnonzero(twice)
    if not rows.size:
        return first, None
    values = walls.to_numpy().astype("datetime64[us]").astype("int64")
    newest_first = values[0] > values[-1]
    # One stretch a change of clocks: rows of the same day.
    days = values[rows] // 86_400_000_000
    for stretch in np.split(rows, np.flatnonzero(np.diff(days)) + 1):
        ordered = stretch[::-1] if newest_first else stretch
        back = np.flatnonzero(np.diff(values[ordered]) <= 0)
        if back.size != 1:
            return first, int(ordered[0])
        first[ordered[: back[0] + 1]] = True
    return first, None
