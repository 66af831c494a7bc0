"""How bars may be come by, and what was said on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from engine.data.sources.clients import Clients
    from engine.progress import Progress


@dataclass(frozen=True)
class Access:
    """How bars may be come by.

    Attributes:
        home: Folder that keeps state between runs.
        network: Whether the network may be used.
        now: The present instant.
        progress: Told what goes on.
        clients: How the network clients behave.
        said: Every notice so far, for the run's manifest.
        ask: What a source is asked for: `missing` bars if there can be any, the `tail` in any
            case, or `all`.
    """

    home: Path
    network: bool
    now: pd.Timestamp
    progress: Progress
    clients: Clients
    said: list[str] = field(default_factory=list)
    ask: Literal["missing", "tail", "all"] = "missing"

    def notice(self, text: str) -> None:
        """Tells the user, and remembers it."""
        self.progress.notice(text)
        self.said.append(text)
