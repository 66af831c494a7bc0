"""Look-ahead between the symbols of a dataset: returns that come early, and survivors only."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from engine.data.bars import is_close_only
from engine.data.calendar import interval_length
from engine.data.quality._joint_finding import joint_finding
from engine.data.quality._lagged_returns import ERROR_RATE, find_lagged_returns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame, IntVector, Vector
    from engine.data.config import Dataset
    from engine.data.quality._lagged_returns import LaggedReturns
    from engine.data.quality.findings import Finding

MIN_UNIVERSE = 5
"""Symbols from which on a dataset is a universe, of which failed ones could be missing."""
# A symbol that ends by this many bars earlier is alive: its last bars are not delivered yet.
_ALIVE_BARS = 10


def find_lookahead(frames: Mapping[str, BarsFrame], dataset: Dataset) -> list[Finding]:
    """A finding for each symbol whose returns come early, or late, against another's.

    What a symbol with closes alone earns is counted from close to close: a fill at the close of
    the next bar earns from there on. A date that is wrong by one bar is not found in it.
    """
    shared = reduce(intersect_stamps, map(_stamps, frames.values()))
    bought = {
        symbol: "close" if is_close_only(bars) else "open" for symbol, bars in frames.items()
    }
    opens, closes = (
        np.column_stack([_on_timestamps(frames[name], of[name], shared) for name in frames])
        for of in (bought, dict.fromkeys(frames, "close"))
    )
    findings = []
    for one in find_lagged_returns(opens, closes):
        names = list(frames)[one.leader], list(frames)[one.follower]
        span = shared[one.begin : one.end]
        price = bought[names[1]]
        sentence, cause = (
            _describe_own(one, names[0], price) if one.is_own else _describe(one, *names, price)
        )
        findings.append(
            joint_finding(
                "lagged_returns",
                names[0],
                span.size,
                (int(span[0]), int(span[-1])),
                dataset,
                f"{span.size} of {shared.size} bars {sentence}; by chance fewer than 1 of "
                f"{1 / ERROR_RATE:,.0f} datasets have that",
                f"{cause}; `quality: {{lagged_returns: warn}}` uses the bars as they are",
            )
        )
    return findings


def _describe(one: LaggedReturns, leader: str, follower: str, price: str) -> tuple[str, str]:
    """What two symbols show, and its probable cause."""
    also = f", and so do those of {one.others} more symbols" if one.others else ""
    sentence = (
        f"come early: their returns have a correlation of {one.correlation:.2f} with what "
        f"{follower} earns {_bars(one.lag)} later, from {price} to {price}, and of "
        f"{one.at_once:.2f} with its returns of the same bars{also}"
    )
    early = one.lag + (price == "close")  # what is earned from a close is the next bar's return
    cause = (
        f"the bars of {leader} seem to be labelled {_bars(early)} early, or those of {follower} "
        "late: compare one known day of both with another source, and correct the timestamps"
    )
    if price == "open":
        cause += (
            f"; or {follower} closes before {leader} on the same date, and its opens are copies "
            "of the close before: use bars with true opens"
        )
    return sentence, cause


def _describe_own(one: LaggedReturns, symbol: str, price: str) -> tuple[str, str]:
    """What a symbol shows that holds its own next price, and its probable cause."""
    sentence = (
        f"hold a later price: their returns, to the close, have a correlation of "
        f"{one.correlation:.2f} with what {symbol} earns {_bars(one.lag)} later, from {price} to "
        f"{price}, and these earnings one of {one.at_once:.2f} with those before"
    )
    cause = (
        "the closes seem to be those of a later bar: compare one known day with another source, "
        "and correct the file"
    )
    return sentence, cause


def _bars(count: int) -> str:
    return "1 bar" if count == 1 else f"{count} bars"


def _stamps(bars: BarsFrame) -> IntVector:
    return bars["timestamp"].to_numpy(dtype="datetime64[us]").astype(np.int64)


def intersect_stamps(one: IntVector, other: IntVector) -> IntVector:
    """The timestamps in both, each ascending."""
    return one if np.array_equal(one, other) else np.intersect1d(one, other)


def _on_timestamps(bars: BarsFrame, column: str, stamps: IntVector) -> Vector:
    own = _stamps(bars)
    return bars[column].to_numpy(dtype=np.float64)[np.searchsorted(own, stamps)]


def find_survivors(frames: Mapping[str, BarsFrame], dataset: Dataset) -> list[Finding]:
    """One finding for a universe of which every symbol lives to the end.

    Two or three symbols are a choice of markets, and no universe. A dataset with `members` says
    itself who belonged to it.
    """
    series = {symbol: _stamps(bars) for symbol, bars in frames.items()}
    ends = [int(stamps[-1]) for stamps in series.values()]
    length = interval_length(dataset.interval).value // 1_000
    if dataset.members is not None or len(series) < MIN_UNIVERSE:
        return []
    if max(ends) - min(ends) > _ALIVE_BARS * length:
        return []
    first = next(iter(series))
    begin = max(int(stamps[0]) for stamps in series.values())
    sentence = (
        f"all {len(series)} symbols have bars to the end of the dataset: where they were chosen "
        "from a list of today, those that failed before are missing, and results are too good "
        "(survivorship bias)"
    )
    advice = (
        "choose the symbols from a list as of the first bar, with those that were delisted since; "
        "no notice is needed where the list is of that kind"
    )
    span = (begin, max(ends))
    return [joint_finding("survivors", first, len(series), span, dataset, sentence, advice)]
