"""How bars may be come by, and what was said on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from engine.data.quality.gate import QualityGate, QualityLog

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from engine.core.progress import Progress
    from engine.data.config import Dataset
    from engine.data.sources.client_settings import ClientSettings


@dataclass(frozen=True)
class DataContext:
    """How bars may be come by.

    Attributes:
        home: Folder that keeps state between runs.
        network: Whether the network may be used.
        now: The present instant.
        progress: Told what goes on.
        clients: How the network clients behave.
        notices: Every notice so far, for the run's manifest.
        fetch_mode: What a source is asked for: `missing` bars if there can be any, the `tail` in
            any case, or `all`.
        quality_log: What the rules found in the bars that passed.
    """

    home: Path
    network: bool
    now: pd.Timestamp
    progress: Progress
    clients: ClientSettings
    notices: list[str] = field(default_factory=list)
    fetch_mode: Literal["missing", "tail", "all"] = "missing"
    quality_log: QualityLog = field(default_factory=QualityLog)

    def notify(self, text: str) -> None:
        """Tells the user, and remembers it."""
        self.progress.notice(text)
        self.notices.append(text)

    def quality_gate(self, dataset: Dataset) -> QualityGate:
        """What bars of a dataset have to pass."""
        return QualityGate(dataset.calendar, dataset.quality, self.now, self.quality_log)
