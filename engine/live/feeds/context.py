"""What every feed needs besides its settings, and the check of bars that no source sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.context import DataContext

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from engine.core.progress import Progress
    from engine.data import Dataset
    from engine.data.sources import ClientSettings
    from engine.live.clock import Clock
    from engine.live.feeds.kept_bars import BarValues, KeptBars
    from engine.live.feeds.notices import NoticeOnce


@dataclass(frozen=True)
class FeedContext:
    """What every feed needs besides its settings.

    Attributes:
        dataset: Symbols, interval, calendar and quality rules.
        home: Folder that keeps state between runs.
        clock: By which bars end.
        progress: Receives notices.
        clients: How the network clients behave.
    """

    dataset: Dataset
    home: Path
    clock: Clock
    progress: Progress
    clients: ClientSettings

    def data_context(self, notices: NoticeOnce) -> DataContext:
        """The context of a request that is made now."""
        return DataContext(
            home=self.home,
            network=True,
            now=self.clock.now(),
            progress=notices,
            clients=self.clients,
        )

    def keep_valid(
        self,
        symbol: str,
        bars: Mapping[pd.Timestamp, BarValues],
        kept: KeptBars,
        notices: NoticeOnce,
        location: str,
    ) -> None:
        """Keeps bars that no source of the data stage sent, if the quality rules let them pass.

        Args:
            symbol: Their symbol.
            bars: Timestamp to values.
            kept: The bars of all symbols; the rules judge and repair those of the symbol together.
            notices: Receives findings and repairs.
            location: Where the bars came from.

        Raises:
            InvalidBarsError: They cannot be trusted; `kept` is as it was.
        """
        context = self.data_context(notices)
        gate = context.quality_gate(self.dataset.of_symbol(symbol))
        together = kept.of_symbol(symbol, bars)
        kept.replace(symbol, gate.validate(together, self.dataset.interval, location))
        notices.notice_findings(symbol, context.quality_log)
