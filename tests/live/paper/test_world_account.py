"""A paper account on several exchanges: what it waits for, decides, and what it tells."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.live.paper.accounts import NAME, journal_of, problems_of
from tests.live.paper.world_accounts import start_world

WORLD = {"NY": "XNYS", "TOKYO": "XTKS", "COIN": "24/7", "SYDNEY": "XASX", "JPYUSD": "24/5"}
KEYS = "currency: USD\ncurrencies: {TOKYO: JPY}\nfx: {JPY: JPYUSD}\n"
KINDS = {"panel": ("2022-11-01 12:00", "2022-11-18"), "target": ("2022-12-19 12:00", "2023-01-20")}


@pytest.mark.parametrize("kind", ["panel", "book", "target"])
def test_an_account_on_several_exchanges_is_the_backtest(tmp_path, kind) -> None:
    start, until = KINDS.get(kind, KINDS["target"])
    world = start_world(tmp_path, WORLD, start, kind=kind, keys=KEYS)
    world.play(until)
    with world.journal() as journal:
        decided = journal.decisions(NAME)
        fills = journal.fills(NAME)
    assert len(decided) > 10
    assert len(fills) > 3
    assert not any(row.late for row in decided)
    assert problems_of(world) == ()
    found = world.compare()
    assert (found.first, found.causes) == (None, {})
