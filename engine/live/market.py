"""The bars of a strategy, for use from Python: now, and as they were known at an instant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine import data
from engine.core.errors import DataError, UsageError
from engine.core.home import backtest_home
from engine.core.progress import NullProgress, Progress
from engine.data.sources.client_settings import ClientSettings
from engine.data.sources.factory import create_sources
from engine.live.strategy_argument import resolve_strategy
from engine.pipeline.holdout import load_every_bar, load_strategy_market

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market
    from engine.strategy import Strategy


def load_market(  # noqa: PLR0913 - an argument an option of the command line
    spec: Strategy | Path | str,
    *,
    dataset: str | None = None,
    offline: bool = False,
    vintage: str | None = None,
    as_of: pd.Timestamp | None = None,
    home: Path | str | None = None,
    progress: Progress | None = None,
    sealed: bool = True,
) -> Market:
    """The bars that a run of the strategy would use; an unfinished bar is left out.

    Args:
        spec: The strategy, or the path of its file.
        dataset: A dataset's name or path, instead of the strategy's own.
        offline: Use the strategy's offline dataset.
        vintage: Use the dataset's bars as they were pulled at that time, as in `engine.run`.
        as_of: Use the bars that were complete at this instant, in UTC: of a source that is pulled
            those of the last vintage by then, which `vintage` replaces; of files the present bars,
            revised ones among them, which a notice says.
        home: Folder of caches; by default BACKTEST_HOME, or `.backtest` in the working directory.
        progress: Receives notices.
        sealed: Without the bars of `windows.holdout`, as a run; False for trading on the newest.

    Raises:
        BacktestError: As `engine.data.load_market`.
        DataError: No bar was complete at `as_of`.
    """
    strategy, folder = resolve_strategy(spec), backtest_home(home)
    reporter = progress or NullProgress()
    if as_of is not None and vintage is None:
        name = dataset or (strategy.data.offline if offline else None) or strategy.data.dataset
        if _keeps_vintages(name, folder):
            dataset, vintage = name, as_of.isoformat()
        else:
            reporter.notice(
                f"{name} keeps no vintages: its present bars that were complete at "
                f"{as_of:%Y-%m-%d %H:%M} UTC are used, revised ones among them"
            )
    if sealed and strategy.windows.holdout is not None:
        if as_of is not None:
            raise UsageError(
                "bars of an instant have no holdout of their own",
                expected="`as_of` of a strategy without `windows.holdout`, or `sealed=False`",
                found=f"holdout: {strategy.windows.holdout}",
                where="as_of",
            )
        return load_strategy_market(
            strategy,
            home=folder,
            offline=offline,
            override=dataset,
            vintage=vintage,
            progress=reporter,
        )
    market = load_every_bar(
        strategy,
        home=folder,
        offline=offline,
        override=dataset,
        vintage=vintage,
        progress=reporter,
    )
    return market if as_of is None else _complete_at(market, as_of)


def _keeps_vintages(dataset: str, home: Path) -> bool:
    manifest = data.read_manifest(dataset)
    sources = create_sources(manifest, home=home, clients=ClientSettings())
    return any(source.cache_key is not None for source in sources)


def _complete_at(market: Market, instant: pd.Timestamp) -> Market:
    """The market without the bars that were not complete at an instant."""
    complete = np.repeat(market.decided_at <= instant.value // 1_000, len(market.symbols))
    if market.assembly is not None:
        stamps = pd.DatetimeIndex(market.bars["timestamp"])
        complete &= market.assembly.ended_rows(stamps, instant, market.publication_delay)
    if not complete.any():
        raise DataError(
            "no bar was complete at that time",
            expected=f"an instant after {market.bars['timestamp'].iloc[0]}",
            found=f"{instant}",
            where=f"dataset {market.provenance['name']}",
            fix="give a later time",
        )
    assembly = None if market.assembly is None else market.assembly.until(instant)
    return replace(market, bars=market.bars[complete], assembly=assembly)
