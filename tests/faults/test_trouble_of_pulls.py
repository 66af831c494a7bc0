"""Any trouble at any moment of a pull or a replication: nothing is lost, and it can go on."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.faults.commands import Disk
from tests.faults.jobs import COINS, TICKERS, Job
from tests.faults.laboratory import round_of, seeds, try_job
from tests.replication.papers import small_protocol, write_paper
from tests.servers.binance import Binance
from tests.servers.candles import Candle, candles
from tests.servers.local import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.laboratory import Laboratory

pytestmark = pytest.mark.slow

COUNT, EARLIER, PAGE = 320, 260, 12
DAY = 86_400


@pytest.fixture(scope="module")
def coins(laboratory: Laboratory, module_folder: Path) -> Iterator[tuple[Job, Disk]]:
    """A pull of 320 bars, and a disk that has the first 260 of them, one since revised."""
    first = (int(time.time()) // DAY - COUNT - 1) * DAY
    scales = dict(zip(TICKERS, (100.0, 10.0), strict=True))
    books = {ticker: candles(first, COUNT, scale=scale) for ticker, scale in scales.items()}
    site = Binance({ticker: _earlier(book) for ticker, book in books.items()}, largest=PAGE)
    start = datetime.fromtimestamp(first, UTC).date().isoformat()
    manifest = module_folder / "coins.yaml"
    manifest.write_text(COINS.format(start=start))
    with serve(site) as served:
        job = Job("pull", ("data", "pull", str(manifest)), context="binance", served=served)
        disk = Disk(laboratory.place / "pulled").make()
        laboratory.server.warm(job.command(disk), disk)
        site.books = books
        yield job, disk


def _earlier(book: list[Candle]) -> list[Candle]:
    last = book[EARLIER - 1]
    return [*book[: EARLIER - 1], replace(last, close=(last.close + last.low) / 2)]


@pytest.fixture(scope="module")
def paper(laboratory: Laboratory, module_folder: Path) -> tuple[Job, Disk]:
    """A replication, and a disk where it was made."""
    folder = write_paper(module_folder / "paper", small_protocol())
    arguments = ("replicate", "livieris2021", "--data", str(folder), "--runs", "1")
    # One of its six networks is trained, which takes TensorFlow; the others are stored.
    job = Job("replicate", (*arguments, "--workers", "1"), context="paper", missing_fits=1)
    disk = Disk(laboratory.place / "replicated").make()
    (ended,) = laboratory.server.run(disk, [job.command(disk)])
    assert ended.code == 0, ended.stderr
    return job, disk


@seeds(112)
def test_pull(laboratory, coins, empty, seed) -> None:
    job, pulled = coins
    start = (empty, pulled)[round_of(seed) % 2]
    try_job(laboratory, laboratory.reference(job, start), seed)


@seeds(8)
def test_replicate(laboratory, paper, seed) -> None:
    job, replicated = paper
    try_job(laboratory, laboratory.reference(job, replicated), seed)
