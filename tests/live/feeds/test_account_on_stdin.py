"""A paper account that lives on lines of standard input."""

from __future__ import annotations

import json
import os

import pytest

from engine.core.errors import InvalidBarsError
from engine.core.progress import NullProgress
from engine.live.feeds import StdinFeedSpec, open_feed
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from engine.live.paper.account import manifest_of
from engine.live.paper.account_runner import RunContext
from engine.live.paper.run import PaperRun
from tests.live.paper.accounts import NAME, PaperMarket, start_paper

pytestmark = pytest.mark.slow

BARS = 6


@pytest.fixture
def market(tmp_path) -> PaperMarket:
    """An account whose next bars have come and are not decided."""
    started = start_paper(tmp_path)
    started.clock.sleep_until(started.bars.end(started.coming[BARS]))
    return started


def lines_of(market: PaperMarket, bars: int) -> str:
    table = market.bars.table
    own = table[table["timestamp"].isin(market.coming[:bars])]
    rows = own.assign(timestamp=own["timestamp"].map(lambda stamp: stamp.isoformat()))
    return "".join(json.dumps(row) + "\n" for row in rows.to_dict("records"))


def run_on(market: PaperMarket, text: str) -> None:
    """Runs the account on some input until it ends."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)

    def make_feed(account, context):
        return open_feed(
            StdinFeedSpec(),
            manifest_of(account),
            home=context.home,
            clock=context.clock,
            progress=context.progress,
            stdin=reading,
        )

    journal = Journal(journal_path(market.home))
    context = RunContext(journal, market.home, market.clock, NullProgress())
    try:
        with PaperRun(context, make_feed=make_feed) as run:
            run.add(NAME)
            run.run()
    finally:
        os.close(reading)


def decided(market: PaperMarket) -> list[object]:
    with market.journal() as journal:
        return [row.bar for row in journal.decisions(NAME)]


def test_the_end_of_the_input_ends_the_run(market) -> None:
    run_on(market, lines_of(market, BARS))
    assert decided(market) == list(market.coming[:BARS])


def test_a_line_that_is_no_bar_ends_it_after_the_bars_before(market) -> None:
    text = lines_of(market, BARS)
    with pytest.raises(InvalidBarsError, match="line 9 of standard input is no bar"):
        run_on(market, "".join(text.splitlines(keepends=True)[:8]) + "half a line\n" + text)
    assert decided(market) == list(market.coming[:4])
