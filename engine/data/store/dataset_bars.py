"""The bars of a whole dataset, all from one source, within its start and end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import SourceError
from engine.data.bars import format_timestamp

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.context import DataContext
    from engine.data.sources.base import BarSource
    from engine.data.store.vintages import VersionedBars, Vintage


@dataclass(frozen=True)
class DatasetBars:
    """Bars of every symbol of a dataset, all from one source.

    Attributes:
        frames: Symbol -> its validated bars within the dataset's start and end.
        origins: Symbol -> where its bars come from, for the run's manifest.
        vintages: Symbol -> the vintage of its bars; empty where the source is not cached.
    """

    frames: dict[str, BarsFrame]
    origins: dict[str, str]
    vintages: dict[str, Vintage] = field(default_factory=dict)

    @classmethod
    def from_versions(
        cls,
        source: BarSource,
        frames: dict[str, BarsFrame],
        versioned_bars: dict[str, VersionedBars | None],
    ) -> DatasetBars:
        """The newest vintage of each symbol.

        Args:
            source: Where the bars come from.
            frames: Symbol -> its validated bars.
            versioned_bars: Symbol -> what the cache holds of it; None where it is not cached.
        """
        return cls(
            frames,
            {symbol: source.origin(symbol) for symbol in frames},
            {symbol: each.latest_vintage for symbol, each in versioned_bars.items() if each},
        )


def select_valid_bars(
    bars: BarsFrame, symbol: str, source: BarSource, dataset: Dataset, context: DataContext
) -> BarsFrame:
    """The bars within the dataset's start and end, which passed the quality gate.

    Raises:
        SourceError: There are none.
        InvalidBarsError: They cannot be trusted.
    """
    days = bars["timestamp"].dt.tz_localize(None)
    wanted = pd.Series(data=True, index=bars.index)
    if dataset.start:
        wanted &= days >= pd.Timestamp(dataset.start)
    if dataset.end:
        wanted &= days < pd.Timestamp(dataset.end) + pd.Timedelta(days=1)
    selected = bars[wanted].reset_index(drop=True)
    if selected.empty:
        raise SourceError(
            f"no bars of {symbol} in the span of the dataset",
            expected=f"bars from {dataset.start or 'the first'} to {dataset.end or 'the last'}",
            found=_format_span(bars, dataset),
            where=f"{symbol}: {source.location(symbol)}",
            fix="change start or end of the dataset",
        )
    return context.quality_gate(dataset).validate(
        selected, dataset.interval, source.location(symbol)
    )


def _format_span(bars: BarsFrame, dataset: Dataset) -> str:
    if bars.empty:
        return "no bars at all"
    first, last = bars["timestamp"].min(), bars["timestamp"].max()
    return (
        f"{format_timestamp(first, dataset.interval)} to "
        f"{format_timestamp(last, dataset.interval)}"
    )
