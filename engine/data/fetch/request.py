"""Requests the finished bars of one symbol from one source; the cache is not used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.bars import drop_unfinished_bars, normalise_bars
from engine.data.sources.base import BarRequest

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.context import DataContext
    from engine.data.sources.base import BarSource


def request_finished_bars(
    source: BarSource,
    symbol: str,
    dataset: Dataset,
    context: DataContext,
    since: pd.Timestamp | None,
    *,
    newest_only: bool = False,
) -> BarsFrame:
    """The bars of a symbol as its source sends them, without the one that is unfinished now.

    Args:
        source: The source.
        symbol: The dataset's name of the symbol.
        dataset: The dataset.
        context: How bars may be fetched; a bar is finished by its `now`.
        since: First timestamp wanted; None for all there is. A source may send earlier ones too.
        newest_only: See `BarRequest`.

    Raises:
        SourceError: The source does not deliver.
        InvalidBarsError: The answer cannot be parsed as bars.
    """
    interval = dataset.interval
    request = BarRequest(
        symbol,
        interval,
        since,
        context.now,
        context.progress,
        context.notify,
        context.quality_gate(dataset),
        newest_only,
    )
    bars = normalise_bars(source.fetch(request), symbol)
    times = source.times_of(symbol, dataset.bar_times)
    return drop_unfinished_bars(bars, times, context.now, source.publication_delay)


def fetch_newest_bars(
    source: BarSource, symbol: str, dataset: Dataset, context: DataContext, since: pd.Timestamp
) -> BarsFrame:
    """The finished bars of a symbol from `since` on, which passed the quality gate.

    They are neither read from the cache nor stored in it, so that the request costs the same
    however long the history is.

    Args:
        source: The source; the same object for every request, which keeps its connection.
        symbol: The dataset's name of the symbol.
        dataset: The dataset.
        context: How bars may be fetched; a bar is finished by its `now`.
        since: First timestamp wanted.

    Returns:
        Bars of one symbol, ascending; none where the source has none from `since` on.

    Raises:
        SourceError: The source does not deliver.
        InvalidBarsError: Bars were received and cannot be trusted.
    """
    bars = request_finished_bars(source, symbol, dataset, context, since, newest_only=True)
    bars = bars[bars["timestamp"] >= since].reset_index(drop=True)
    if bars.empty:
        return bars
    return context.quality_gate(dataset).validate(bars, dataset.interval, source.location(symbol))
