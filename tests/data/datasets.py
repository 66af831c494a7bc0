"""Datasets to load in tests: manifests and the files they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.data import load_market
from engine.data.config import DataSpec
from tests.servers.candles import candles

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market

DAY = 86_400

# A fixed present: 2024-03-10 12:00 UTC. The last of the servers' candles is the one of that day.
NOW = pd.Timestamp("2024-03-10 12:00", tz="UTC")
COUNT = 400
FIRST = int(NOW.normalize().timestamp()) - (COUNT - 1) * DAY

COINS = """name: coins
interval: 1d
calendar: 24/7
symbols: [BTC-USD, ETH-USD]
start: 2023-03-01
sources:
"""
YAHOO = "  - kind: yahoo\n"
BITSTAMP = "  - {kind: ccxt, exchange: bitstamp}\n"
FILES = "  - {kind: files, path: bars}\n"


@dataclass
class RecordingProgress:
    """A progress that records what it receives."""

    notices: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def stage(self, name: str) -> None: ...

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def advance(self, done: int, total: int, what: str) -> None: ...


def write_files(tmp_path, *, symbols=("BTC-USD", "ETH-USD"), skip=(), **columns):
    (tmp_path / "bars").mkdir(exist_ok=True)
    for symbol in symbols:
        table = pd.DataFrame(candles(FIRST, COUNT - 1)).rename(columns={"seconds": "timestamp"})
        if symbol == symbols[-1]:
            table = table.drop(index=list(skip)).assign(**columns)
        table.to_csv(tmp_path / "bars" / f"{symbol}.csv", index=False)


def load_files(
    manifest: Path, *, progress: RecordingProgress | None = None, now: pd.Timestamp | None = None
) -> Market:
    """The market of a manifest whose sources are files."""
    return load_market(
        DataSpec(dataset=str(manifest)),
        home=manifest.parent / "home",
        offline=True,
        override=None,
        progress=progress or RecordingProgress(),
        now=now,
    )
