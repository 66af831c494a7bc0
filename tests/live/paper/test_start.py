"""The start of an account: of the bars of its own dataset, and of a name that is used once."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import UnreachableError, UsageError
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from engine.live.paper.account import start_account
from engine.live.paper.account_history import history_path, read_history
from engine.live.paper.settings import PaperSettings
from engine.strategy import load_strategy
from tests.data.datasets import COINS, YAHOO
from tests.live.manual_clock import ManualClock
from tests.live.paper.accounts import HISTORY, NAME, certify, make_bars, write_history
from tests.pipeline.markets import write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from engine.strategy import Strategy


def start(spec: Strategy, home: Path, clock: ManualClock) -> str:
    account = start_account(
        spec, name=NAME, capital=1.0, settings=PaperSettings(), clock=clock, home=home
    )
    return account.history_hash


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request goes to a port where nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{unused.getsockname()[1]}"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy)


@pytest.mark.usefixtures("no_server")
def test_without_bars_of_its_dataset_none_of_another_are_taken(tmp_path) -> None:
    (tmp_path / "coins.yaml").write_text(COINS + YAHOO)
    file = write_strategy(tmp_path, tmp_path / "coins.yaml")
    spec = load_strategy(file, {"data.offline": "us-indices"})
    home, clock = tmp_path / "home", ManualClock("2024-03-10")
    certify(spec, home)
    with pytest.raises(UnreachableError) as error:
        start(spec, home, clock)
    assert error.value.exit_code == 3
    assert "try again when its sources answer" in error.value.fix
    with Journal(journal_path(home)) as journal:
        assert journal.list_accounts() == ()
    assert not history_path(home, NAME).exists()


class ClockOfTwo(ManualClock):
    """Lets another process do something when this one has read its bars."""

    def now(self) -> pd.Timestamp:
        self.sleep_until(self.time)
        return super().now()


def test_the_second_of_two_starts_leaves_the_history_of_the_first(tmp_path) -> None:
    bars = make_bars()
    file = write_strategy(tmp_path, write_history(tmp_path / "market", bars, HISTORY))
    spec, home = load_strategy(file), tmp_path / "home"
    certify(spec, home)
    instant = "2024-02-01"
    clock = ClockOfTwo(instant)
    hashes = []

    def start_first() -> None:
        write_history(tmp_path / "market", bars, HISTORY + 10)
        hashes.append(start(spec, home, ManualClock(instant)))

    clock.at(instant, start_first)
    with pytest.raises(UsageError, match="there is a paper account of that name"):
        start(spec, home, clock)
    market = read_history(history_path(home, NAME), *hashes)
    assert market.bars["timestamp"].iloc[-1] == bars.labels[HISTORY + 9]
