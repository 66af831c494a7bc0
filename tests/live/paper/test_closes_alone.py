"""A paper account on bars with closes alone, and journals of before there were such."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.live.journal.file import connect_writer, journal_path
from engine.live.journal.tables import APPLICATION_ID, MIGRATIONS
from tests.live.paper.accounts import NAME, make_bars, problems_of, start_paper

if TYPE_CHECKING:
    from pathlib import Path

RANGE = ("open", "high", "low")
OF_CLOSES = {
    "features": [{"kind": "log_return"}, {"kind": "bollinger_percent", "window": 10}],
    "execution.price": "close",
}


@pytest.mark.slow
def test_an_account_decides_fills_and_checks_bars_of_closes(tmp_path: Path) -> None:
    bars = make_bars()
    bars = replace(bars, table=bars.table.assign(**dict.fromkeys((*RANGE, "volume"), np.nan)))
    market = start_paper(tmp_path, bars, overrides=OF_CLOSES)
    market.play(12)
    with market.journal() as journal:
        rows = list(journal.bars(NAME))
        assert len(rows) == 24
        assert all(np.isnan([getattr(row, name) for name in RANGE]).all() for row in rows)
        fills = list(journal.fills(NAME))
    assert fills
    closes = bars.table.set_index(["timestamp", "symbol"])["close"]
    for fill in fills:
        assert fill.price == pytest.approx(closes[fill.bar, fill.symbol], rel=3e-4)
    assert problems_of(market) == ()


def columns_of(path: Path) -> dict[str, bool]:
    """Column of the bars -> whether it may be empty."""
    with closing(sqlite3.connect(path)) as connection:
        return {row[1]: not row[3] for row in connection.execute("PRAGMA table_info(bars)")}


def test_an_earlier_journal_keeps_its_bars_and_takes_closes_alone(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        for statement in (each for version in MIGRATIONS[:3] for each in version):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 3")
        account = ("A", *"ctsdm", 0, "1d", "24/7", 1.0, *"sch", "2020-01-01")
        marks = ", ".join("?" * len(account))
        connection.execute(f"INSERT INTO accounts VALUES ({marks})", account)
        bar = ("A", "2020-01-02", "X", 1.0, 3.0, 0.5, 2.0, None, "2020-01-03")
        connection.execute(f"INSERT INTO bars VALUES ({', '.join('?' * len(bar))})", bar)
        connection.commit()
    assert not columns_of(path)["open"]
    with closing(connect_writer(path)) as connection:
        assert [tuple(row) for row in connection.execute("SELECT * FROM bars")] == [bar]
        later = ("A", "2020-01-03", "X", None, None, None, 2.5, None, "2020-01-04")
        connection.execute(f"INSERT INTO bars VALUES ({', '.join('?' * len(later))})", later)
        for refused in ("UPDATE bars SET close = 1", "DELETE FROM bars"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(refused)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("INSERT OR REPLACE INTO bars SELECT * FROM bars")
        early = ("A", "2019-12-31", *bar[2:])
        with pytest.raises(sqlite3.IntegrityError, match="those of the history"):
            connection.execute(f"INSERT INTO bars VALUES ({', '.join('?' * len(early))})", early)
        with pytest.raises(sqlite3.IntegrityError, match="about a bar that came"):
            connection.execute(
                "INSERT INTO decisions VALUES ('A', '2020-02-01', 'x', 0, 'r', 't', 's')"
            )
    assert columns_of(path)["open"]
