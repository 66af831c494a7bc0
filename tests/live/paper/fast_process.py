"""A process that runs a paper account by a fast clock on a local exchange.

`python -m tests.live.paper.fast_process HOME URL BEGAN SPEED UNTIL`: the clock showed BEGAN
(seconds since 1970) at BEGAN, and has since gone SPEED times as fast as that of the system.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd

from engine.core.progress import NullProgress
from engine.data.sources import ClientSettings
from engine.live.feeds import open_feed
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from engine.live.paper.account import manifest_of
from engine.live.paper.account_runner import RunContext
from engine.live.paper.run import PaperRun
from engine.live.paper.settings import PaperSettings


class FastClock:
    """The same instant in every process that knows when it began and how fast it goes."""

    def __init__(self, began: float, speed: float) -> None:
        self._began, self._speed = began, speed

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self._began + (time.time() - self._began) * self._speed

    def now(self) -> pd.Timestamp:
        return pd.Timestamp(self.seconds(), unit="s", tz="UTC").as_unit("us")

    def sleep_until(self, instant: pd.Timestamp) -> None:
        while (left := instant.timestamp() - self.seconds()) > 0:
            time.sleep(min(left / self._speed, 0.05))


def local_clients(url: str) -> ClientSettings:
    """Clients that ask the local exchange."""
    api = {"public": f"{url}/api/v3", "fapiPublic": f"{url}/fapi/v1"}
    api["dapiPublic"] = f"{url}/dapi/v1"
    return ClientSettings(
        exchange_options={"urls": {"api": api}, "rateLimit": 1}, retry_pauses_s=()
    )


def main() -> None:
    home, url, began, speed, until = sys.argv[1:]
    clock, folder = FastClock(float(began), float(speed)), Path(home)
    clients = local_clients(url)
    with Journal(journal_path(folder)) as journal:
        context = RunContext(journal, folder, clock, NullProgress())
        run = PaperRun(
            context,
            make_feed=lambda account, its: open_feed(
                PaperSettings.model_validate_json(account.settings).feed,
                manifest_of(account),
                home=its.home,
                clock=its.clock,
                progress=its.progress,
                clients=clients,
            ),
        )
        with run:
            run.add(journal.list_active()[0])
            sys.stdout.write("running\n")
            sys.stdout.flush()
            run.run(until=pd.Timestamp(float(until), unit="s", tz="UTC"))


if __name__ == "__main__":
    main()
