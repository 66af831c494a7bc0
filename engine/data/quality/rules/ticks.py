"""Single prices that no one could have traded at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample, Track

# Half or twice the price, and back. The sharpest that came back in clean daily sets: XRP on
# 2017-04-02 by a factor of 1.85 (0.62 in logarithms), DOGE on 2013-12-19 by 1.65.
_SPIKE = np.log(2.0)
# Of an hour or a day that moves so much anyway, nothing can be said.
_USUAL_MOVES = 10.0
# It comes back to where it was: what stays is at most a quarter of the way.
_STAYS = 0.25
# Opens and closes that a spike may last: two bars.
_LASTS = 4


def bad_ticks(sample: Sample) -> list[Spotted]:
    """An open or a close leaps to half or twice the price, and is back within two bars.

    A crash or a jump does not come back, and a real one that does takes longer or goes less far.
    """
    track = sample.track
    moves = np.diff(track.path)
    least = max(_SPIKE, _USUAL_MOVES * track.usual_move)
    leaps = np.flatnonzero(np.abs(moves) >= least)
    points: set[int] = set()
    for here, there in zip(leaps[:-1].tolist(), leaps[1:].tolist(), strict=True):
        out, back = moves[here], moves[there]
        inside = there - here <= _LASTS and here not in points
        if inside and abs(out + back) <= _STAYS * min(abs(out), abs(back)) and out * back < 0:
            points.update(range(here + 1, there + 1))
    rows = np.unique(track.rows[np.array(sorted(points), dtype=np.int64) // 2])
    complaint = "bars have a price far off that is back at once"
    return [Spotted(rows, complaint, "drop_bad_tick")]


def wicks(sample: Sample) -> list[Spotted]:
    """A high or a low is twice or half of every open and close about it.

    A flash crash really trades there, so that this is a warning.
    """
    track = sample.track
    above, below = _neighbourhood(track)
    far = (track.highs - above >= _SPIKE) | (below - track.lows >= _SPIKE)
    rows = np.sort(track.rows[far])
    return [Spotted(rows, "bars have a high or low twice or half of all prices about it")]


def _neighbourhood(track: Track) -> tuple[np.ndarray, np.ndarray]:
    """Highest and lowest of open, close, the close before and the open after."""
    before = np.r_[track.opens[:1], track.closes[:-1]]
    after = np.r_[track.opens[1:], track.closes[-1:]]
    points = np.stack([track.opens, track.closes, before, after])
    return points.max(axis=0), points.min(axis=0)
