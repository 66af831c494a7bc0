"""Repairs that later bars decided, in the part of a history on which a run is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN_BARS = 5


def describe_late_repairs(
    repairs: Sequence[Mapping[str, Any]], first_out_of_sample: pd.Timestamp
) -> list[str]:
    """A sentence for each repair of out-of-sample bars that was decided by later ones.

    Args:
        repairs: Of a market's provenance, `quality.repairs`.
        first_out_of_sample: The first bar of the first test part.
    """
    sentences = []
    for repair in repairs:
        bars = [
            stamp
            for stamp in map(pd.Timestamp, repair.get("late_bars", ()))
            if stamp >= first_out_of_sample
        ]
        if not bars:
            continue
        later = repair["later_bars"]
        shown = ", ".join(
            f"{bar:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for bar in bars[:_SHOWN_BARS]
        )
        more = f" and {len(bars) - _SHOWN_BARS} more" if len(bars) > _SHOWN_BARS else ""
        sentences.append(
            f"{repair['repair']} of {repair['symbol']} looks ahead: {len(bars)} out-of-sample "
            f"{'bar was' if len(bars) == 1 else 'bars were'} repaired by what "
            f"{'later bars' if later is None else f'up to {later} later bars'} showed, which "
            f"nobody knew at the time: {shown}{more}"
        )
    return sentences
