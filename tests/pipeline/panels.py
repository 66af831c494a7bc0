"""A small panel as a user would write it: listings, a halt, a delisting, members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pipeline.markets import bars, write_market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

OLD, ALSO, YOUNG, GONE, LATE = "OLD", "ALSO", "YOUNG", "GONE", "LATE"

ROWS = {
    OLD: range(700),
    ALSO: range(700),
    YOUNG: range(430, 700),
    GONE: [*range(410), *range(420, 520)],
    LATE: range(620, 700),
}
"""Days of the symbols that have bars: listed late, halted and then delisted, listed last."""

MEMBERS = """symbol,from,to
OLD,2018-01-01,2019-04-30
OLD,2019-08-01,
ALSO,2018-01-01,
YOUNG,2018-01-01,
GONE,2018-01-01,
LATE,2018-01-01,
"""

PANEL = {"inputs": "target", "data.targets": "all"}
POOLED = PANEL | {"scope": "pooled"}
LONG_SHORT = POOLED | {
    "signal": {"kind": "threshold"},
    "sizing": {"kind": "fixed"},
    "portfolio": {
        "allocation": {"kind": "long_short", "quantile": 0.5},
        "rebalance": "weekly",
    },
}


def write_panel(folder: Path, *, members: bool = False) -> Path:
    """A strategy of these symbols; GONE pays 70 % of its last close."""
    tables = {
        symbol: bars(seed, edge=0.2).iloc[list(rows)]
        for seed, (symbol, rows) in enumerate(ROWS.items())
    }
    manifest = write_market(folder / "market", tables)
    text = manifest.read_text() + "delisting: {delisting_return: -0.3}\n"
    if members:
        (manifest.parent / "members.csv").write_text(MEMBERS)
        text += "members: {file: members.csv}\n"
    manifest.write_text(text)
    return write_strategy(folder, manifest)
