"""The newest bars of a run, replayed as a paper account trades them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.live.parity.strategy_replay import replay_result
from engine.runs.documents.live_path import LivePath

if TYPE_CHECKING:
    from engine.pipeline.result import BacktestResult

REPLAYED_BARS = 25
"""Each takes about a millisecond, and the first of them a pass over the bars before."""


def check_live_path(result: BacktestResult) -> LivePath:
    """Replays the newest bars of a run through the bar loop, with the fits of the run.

    Args:
        result: Of the stages from fits to simulation.
    """
    replay = replay_result(result, bars=REPLAYED_BARS, bar_by_bar=False)
    return LivePath(
        bars=replay.bars,
        compared=replay.compared,
        differing=replay.differing,
        first_difference=replay.first_difference,
        own_parts=replay.own_parts,
    )
