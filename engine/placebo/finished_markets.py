"""The Sharpe ratios of finished markets, kept so that an interrupt loses one market at most."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.json_text import parse_json

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "markets.jsonl"


@dataclass(frozen=True)
class FinishedMarkets:
    """A file with a line a finished market.

    Attributes:
        folder: Of one strategy, its bars and one kind of surrogates.
    """

    folder: Path

    def read(self) -> dict[int, float]:
        """Number -> Sharpe ratio. A line that an interrupt cut off is left out."""
        path = self.folder / _FILE
        found: dict[int, float] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            try:
                entry = parse_json(line)
                number, ratio = int(entry["market"]), float(entry["sharpe"])
            except (ValueError, KeyError, TypeError):
                continue
            if math.isfinite(ratio):
                found[number] = ratio
        return found

    def add(self, number: int, ratio: float) -> None:
        """Adds a market."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"market": number, "sharpe": ratio}) + "\n")
