"""Local times on the clock of a time zone, as instants in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.sources.parse_failure import ParseFailure

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    NaiveMask = npt.NDArray[np.bool_]


def to_local_days(timestamps: pd.Series, naive: NaiveMask, zone: str) -> pd.Series:
    """Midnight UTC of the day that each stamp has in the zone.

    Args:
        timestamps: UTC; naive ones are local times written as if they were.
        naive: Which ones are naive.
        zone: IANA name.
    """
    local = timestamps.dt.tz_convert(zone).dt.tz_localize(None).dt.tz_localize("UTC")
    days: pd.Series = timestamps.where(naive, local).dt.floor("D")
    return days


def local_to_utc(timestamps: pd.Series, naive: NaiveMask, zone: str) -> pd.Series | ParseFailure:
    """Local times as instants; others unchanged.

    An hour that the clock repeats in autumn is told apart by the order of the rows, where both
    of its runs are there.

    Args:
        timestamps: UTC; naive ones are local times written as if they were.
        naive: Which ones are naive.
        zone: IANA name.
    """
    walls = timestamps.dt.tz_localize(None)
    summer = _localize(walls, zone, is_dst=True)
    winter = _localize(walls, zone, is_dst=False)
    absent = (summer.isna().to_numpy()) & naive
    if absent.any():
        row = int(absent.argmax())
        return ParseFailure(
            row,
            f"{walls.iloc[row]}, a time that the clocks of {zone} left out that day",
            f"local times of {zone}",
            "correct `timezone` of the files source: stamps without a change of clocks are often "
            "UTC",
        )
    twice = (summer != winter).to_numpy() & naive
    first_pass, unclear = _first_occurrences(walls, twice)
    if unclear is not None:
        readings = f"{summer.iloc[unclear]:%H:%M} or {winter.iloc[unclear]:%H:%M} UTC"
        return ParseFailure(
            unclear,
            f"{walls.iloc[unclear]}, which is {readings}: the clocks of {zone} were set back",
            "both runs of the repeated hour, or times with their offset",
            "write the stamps in UTC or with their offset",
        )
    instants = winter.where(~first_pass, summer)
    return timestamps.where(~naive, instants)


def _localize(local_times: pd.Series, zone: str, *, is_dst: bool) -> pd.Series:
    which = np.full(len(local_times), is_dst)
    placed = local_times.dt.tz_localize(zone, ambiguous=which, nonexistent="NaT")
    instants: pd.Series = placed.dt.tz_convert("UTC")
    return instants


def _first_occurrences(
    local_times: pd.Series, ambiguous: NaiveMask
) -> tuple[NaiveMask, int | None]:
    """Which repeated times are of the first run, and a row that cannot be told."""
    first = np.zeros(len(local_times), dtype=bool)
    rows = np.flatnonzero(ambiguous)
    if not rows.size:
        return first, None
    values = local_times.to_numpy().astype("datetime64[us]").astype("int64")
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
