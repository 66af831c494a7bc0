"""Splits that prices were not adjusted for, or only some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.sample import block_medians
from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample, Track
    from engine.types import Rows, Vector

# A split smaller than this cannot be told from a bad day.
_LEAST = np.log(1.2)
_USUAL_MOVES = 8.0
# How far a step may be from the ratio: a quarter of it, and not more than a day's fall.
_SHARE, _FURTHEST = 0.25, 0.15
# Vendors adjust from some bars before the day of the split on, or from a few after it.
_BEFORE, _AFTER = 10, 3

# Without a list of splits: the ratios that companies choose, met at the open within 3 % (10 % from
# four for one on, which no market leaps), on a bar that moves little by itself and trades no more
# money than usual.
_RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
_MET, _MET_OF_LARGE, _LARGE = 0.03, 0.10, 4.0
_QUIET = 0.1
_MONEY = 3.0
_STAY = 5


def missed_splits(sample: Sample) -> list[Spotted]:
    """Bars before a split are not divided by its ratio, all of them or some.

    Where the source lists splits: near one of them the price, with dividends put back, steps by
    its ratio. Where it lists none at that bar: the price steps by a common ratio from close to
    open and stays, without the rush of trading that a crash or a jump brings.
    """
    track = sample.track
    listed = _listed(sample, track)
    met = {edge for raw in listed for edge in (raw.first, raw.end)}
    missed = [*listed, *(raw for raw in _unlisted(sample, track) if raw.end not in met)]
    ratios = np.ones(track.rows.size)
    for raw in missed:
        ratios[raw.first : raw.end] *= raw.ratio
    return [
        _spotted(np.sort(track.rows[ratios == ratio]), float(ratio))
        for ratio in np.unique(ratios)
        if ratio != 1.0
    ]


@dataclass(frozen=True)
class _Raw:
    """Bars that stand at their price before a split.

    Attributes:
        first: The first of them.
        end: The bar after the last of them.
        ratio: New shares for an old one.
    """

    first: int
    end: int
    ratio: float


def _listed(sample: Sample, track: Track) -> list[_Raw]:
    split = sample.events.get("split")
    if split is None:
        return []
    ratios = split[track.rows]
    returns = _total_returns(sample, track)
    found = []
    for event in np.flatnonzero(np.isfinite(ratios) & (ratios > 0.0) & (ratios != 1.0)).tolist():
        ratio = float(ratios[event])
        if abs(np.log(ratio)) >= max(_LEAST, _USUAL_MOVES * track.usual_move):
            raw = _unadjusted(returns, event, ratio)
            found += [raw] if raw else []
    return found


def _total_returns(sample: Sample, track: Track) -> Vector:
    """Log return into each bar, less what dividends explain; 0 into the first."""
    adjusted = sample.events.get("adj_close")
    if adjusted is not None and (adjusted[track.rows] > 0.0).all():
        return np.diff(np.log(adjusted[track.rows]), prepend=np.log(adjusted[track.rows[:1]]))
    paid = np.nan_to_num(sample.events.get("dividends", np.zeros(sample.stamps.size))[track.rows])
    closes = np.exp(track.closes)
    whole = np.log(np.maximum(closes + paid, closes * 0.01))
    return np.r_[0.0, whole[1:] - track.closes[:-1]] if closes.size else closes


def _unadjusted(returns: Vector, event: int, ratio: float) -> _Raw | None:
    """The bars that stand at their price before the split, if any do.

    They end where the price steps by one over the ratio, near the split. They begin where it
    steps by the ratio, or with the first bar.
    """
    size = np.log(ratio)
    near = min(_SHARE * abs(size), _FURTHEST)
    first = max(event - _BEFORE, 1)
    ends = np.flatnonzero(np.abs(returns[first : event + _AFTER + 1] + size) <= near) + first
    if not ends.size:
        return None
    end = int(ends[-1])
    begins = np.flatnonzero(np.abs(returns[:end] - size) <= near)
    return _Raw(int(begins[-1]) if begins.size else 0, end, ratio)


def _unlisted(sample: Sample, track: Track) -> list[_Raw]:
    """Steps from close to open that are a ratio and nothing else."""
    if track.rows.size < 2 * _STAY:
        return []
    steps = track.opens[1:] - track.closes[:-1]
    found = []
    for bar in (np.flatnonzero(np.abs(steps) >= np.log(_RATIOS[0]) - _MET) + 1).tolist():
        ratio = _ratio(float(steps[bar - 1]))
        if ratio and _stays(track, bar, ratio) and _calm(sample, track, bar):
            found.append(_Raw(0, bar, ratio))
    return found


def _ratio(step: float) -> float | None:
    """The ratio that a step from close to open shows, if it shows one."""
    ratio = min(_RATIOS, key=lambda known: abs(abs(step) - np.log(known)))
    near = _MET_OF_LARGE if ratio >= _LARGE else _MET
    if abs(abs(step) - np.log(ratio)) > near:
        return None
    return ratio if step < 0 else 1.0 / ratio


def _stays(track: Track, bar: int, ratio: float) -> bool:
    """Whether the price is at the other level after it, in a market that is otherwise quiet."""
    before = np.median(track.closes[max(bar - _STAY, 0) : bar])
    after = np.median(track.closes[bar : bar + _STAY])
    step = abs(after - before + np.log(ratio))
    # The mean, because a penny stock stands still on most days and leaps on the others.
    moves = np.abs(np.diff(track.closes[max(bar - 101, 0) : bar]))
    bold = moves.size and abs(np.log(ratio)) >= _USUAL_MOVES * float(moves.mean())
    return bool(bold and step <= _FURTHEST and track.highs[bar] - track.lows[bar] <= _QUIET)


def _calm(sample: Sample, track: Track, bar: int) -> bool:
    """Whether the money traded on the bar is known, and not much more than usual."""
    money = sample.volume[track.rows] * np.exp(track.closes)
    usual = block_medians(money[max(bar - 101, 0) : bar])
    return bool(usual.size and 0.0 < money[bar] <= _MONEY * usual[-1])


def _spotted(rows: Rows, ratio: float) -> Spotted:
    whole = ratio < 1 and abs(1 / ratio - round(1 / ratio)) < 1e-6
    text = f"1 for {1 / ratio:.0f}" if whole else f"{ratio:.4g} for 1"
    complaint = f"bars are not adjusted for a split of {text}"
    return Spotted(rows, complaint, "apply_split", 1.0 / ratio)
