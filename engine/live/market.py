"""The bars of a strategy, for use from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import data
from engine.core.home import backtest_home
from engine.core.progress import NullProgress, Progress
from engine.live.strategy_argument import resolve_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market
    from engine.strategy import Strategy


def load_market(
    spec: Strategy | Path | str,
    *,
    dataset: str | None = None,
    offline: bool = False,
    vintage: str | None = None,
    home: Path | str | None = None,
    progress: Progress | None = None,
) -> Market:
    """The bars that a run of the strategy would use; an unfinished bar is left out.

    Args:
        spec: The strategy, or the path of its file.
        dataset: A dataset's name or path, instead of the strategy's own.
        offline: Use the strategy's offline dataset.
        vintage: Use the dataset's bars as they were pulled at that time, as in `engine.run`.
        home: Folder of caches; by default BACKTEST_HOME, or `.backtest` in the working directory.
        progress: Receives notices.

    Raises:
        BacktestError: As `engine.data.load_market`.
    """
    return data.load_market(
        resolve_strategy(spec).data,
        home=backtest_home(home),
        offline=offline,
        override=dataset,
        vintage=vintage,
        progress=progress or NullProgress(),
    )
