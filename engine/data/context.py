"""How bars may be fetched, and the notices and findings collected on the way."""

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
    """How bars may be fetched.

    Attributes:
        home: Folder that keeps state between runs.
        network: Whether the network may be used.
        now: The present instant.
        progress: Gets progress and notices.
        clients: How the network clients behave.
        notices: Every notice so far, for the run's manifest.
        fetch_mode: What is requested from a source: `missing` bars if there can be any, the `tail`
            always, or `all`.
        quality_log: What the quality rules found in the bars that passed.
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
        """Notifies the user, and records the notice."""
        self.progress.notice(text)
        self.notices.append(text)

    def quality_gate(self, dataset: Dataset) -> QualityGate:
        """The gate that bars of a dataset have to pass."""
        zones = [getattr(source, "timezone", None) for source in dataset.sources]
        return QualityGate(
            dataset.calendar,
            dataset.quality,
            self.now,
            self.quality_log,
            dataset.day_begin,
            zones[0] if len(set(zones)) == 1 else None,
        )
