"""Paper accounts on several exchanges: each bar arrives at the close of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.core.progress import NullProgress
from engine.data.bar_times import TradingTimes
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from engine.live.paper.account import start_account
from engine.live.paper.account_runner import AccountRunner, RunContext
from engine.live.paper.backtest_comparison import BacktestComparison
from engine.live.paper.settings import PaperSettings
from engine.selftest.harness import make_strategy
from tests.data.exchanges import daily_bars, write_dataset
from tests.live.manual_clock import ManualClock
from tests.live.paper.accounts import NAME, certify

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live.journal.rows import AccountRow, EventRow
    from engine.live.paper.account_difference import Difference
    from engine.strategy import Strategy

COUNT = 240
"""Bars of each symbol: those of a coin end in February."""

FIRST = "2022-07-01"
"""So that Sydney and Auckland, which open on the evening before, are traded in their summer."""

SECOND = pd.Timedelta(seconds=1)


@dataclass
class ArrivingFeed:
    """Hands out each bar from a second after its close on, or when a test says.

    Attributes:
        rows: Long bars with the instant at which they arrive.
        clock: The time.
        asked: Every fetch.
    """

    rows: pd.DataFrame
    clock: ManualClock
    asked: list[pd.Timestamp] = field(default_factory=list)
    is_exhausted = False

    def delay(self, symbol: str, day: str, by: str) -> None:
        """Lets a bar arrive later; `never` for not at all."""
        chosen = self._of(symbol, day)
        if by == "never":
            self.rows = self.rows[~chosen]
        else:
            self.rows.loc[chosen, "arrives"] += pd.Timedelta(by)

    def revise(self, symbol: str, day: str, after: str, factor: float) -> None:
        """Lets other prices of a bar arrive some time after it."""
        own = self.rows[self._of(symbol, day)]
        prices = ["open", "high", "low", "close"]
        again = own.assign(
            arrives=own["arrives"] + pd.Timedelta(after), **(own[prices] * factor).to_dict("list")
        )
        self.rows = pd.concat([self.rows, again]).sort_values("arrives", kind="stable")

    def _of(self, symbol: str, day: str) -> pd.Series[bool]:
        stamp = pd.Timestamp(day, tz="UTC")
        return (self.rows["symbol"] == symbol) & (self.rows["timestamp"] == stamp)

    def wait(self, timeout_s: float) -> None:
        self.clock.sleep_until(self.clock.now() + pd.Timedelta(seconds=timeout_s))

    def fetch(self, after: pd.Timestamp) -> pd.DataFrame:
        self.asked.append(self.clock.now())
        here = self.rows[
            (self.rows["arrives"] <= self.clock.now()) & (self.rows["timestamp"] > after)
        ]
        newest = here.sort_values("arrives", kind="stable").drop_duplicates(
            ["timestamp", "symbol"], keep="last"
        )
        ordered = newest.sort_values(["timestamp", "symbol"], ignore_index=True)
        return ordered.drop(columns="arrives")

    def close(self) -> None:
        pass


@dataclass
class WorldAccount:
    """An account on several exchanges, and a home.

    Attributes:
        home: Folder of the journal.
        spec: The strategy.
        clock: The time.
        feed: Of the account.
        account: The account.
    """

    home: Path
    spec: Strategy
    clock: ManualClock
    feed: ArrivingFeed
    account: AccountRow

    def play(self, until: str, *, restart_every: int = 0) -> None:
        """Looks at each arrival and after the wait for it, until an instant.

        Args:
            until: The instant.
            restart_every: Looks after which another process takes the account; 0 for none.
        """
        last = pd.Timestamp(until, tz="UTC")
        grace = pd.Timedelta(seconds=15)
        arrivals = self.feed.rows["arrives"]
        looks = pd.DatetimeIndex(arrivals).union(pd.DatetimeIndex(arrivals + grace))
        looks = looks[(looks > self.clock.now()) & (looks <= last)]
        size = restart_every or max(1, len(looks))
        for begin in range(0, len(looks), size):
            with self.journal() as journal:
                context = RunContext(journal, self.home, self.clock, NullProgress())
                runner = AccountRunner(self.account, self.feed, context)
                for look in looks[begin : begin + size]:
                    self.clock.sleep_until(look)
                    runner.decide_bars()

    def journal(self) -> Journal:
        """The journal; use it as a context."""
        return Journal(journal_path(self.home))

    def events(self, kind: str) -> list[EventRow]:
        """The events of one kind."""
        with self.journal() as journal:
            return [event for event in journal.events(NAME) if event.kind == kind]

    def compare(self) -> Difference:
        """With the backtest over the bars that came."""
        with self.journal() as journal:
            comparison = BacktestComparison(
                journal, self.account, self.home, progress=NullProgress()
            )
            return comparison.on_received_bars()


def start_world(
    folder: Path,
    calendars: dict[str, str],
    start: str,
    *,
    kind: str = "panel",
    keys: str = "",
    seed: int = 0,
    settings: PaperSettings | None = None,
    **sections: Any,
) -> WorldAccount:
    """Starts an account on daily bars of some symbols, each on its calendar.

    Args:
        folder: An empty one.
        calendars: Symbol -> calendar; the first is the target, where one is traded alone.
        start: Instant; the bars that have closed by then are its history.
        kind: `target`, `book` of the dates on which all are open, or `panel`.
        keys: Further keys of the manifest.
        seed: Of the bars.
        settings: Of the account.
        sections: Keys of the strategy.
    """
    clock = ManualClock(start)
    manifest = write_dataset(folder, calendars, COUNT, first=FIRST, keys=keys, seed=seed)
    tables = []
    for symbol, calendar in calendars.items():
        bars = daily_bars(symbol, calendar, COUNT, first=FIRST, seed=seed)
        bars["arrives"] = TradingTimes("1d", calendar).close_series(bars["timestamp"]) + SECOND
        tables.append(bars)
        closed = int((bars["arrives"] - SECOND <= clock.now()).sum())
        file = folder / f"{symbol}.csv"
        file.write_text("\n".join(file.read_text().splitlines()[: closed + 1]) + "\n")
    rows = pd.concat(tables).sort_values(["arrives", "symbol"], ignore_index=True)
    spec = strategy_of(str(manifest), kind, next(iter(calendars)), sections)
    home = folder / "home"
    certify(spec, home)
    account = start_account(
        spec,
        name=NAME,
        capital=1_000_000.0,
        settings=settings or PaperSettings(),
        clock=clock,
        home=home,
    )
    return WorldAccount(home, spec, clock, ArrivingFeed(rows, clock), account)


def strategy_of(dataset: str, kind: str, target: str, sections: dict[str, Any]) -> Strategy:
    """A ridge on a dataset, with windows that are short enough for a half of a year."""
    chosen: dict[str, Any] = {"target": target} if kind == "target" else {"targets": "all"}
    own: dict[str, Any] = {"data": {"dataset": dataset, **chosen}}
    if kind == "panel":
        own |= {"inputs": "target", "scope": "pooled"}
    return make_strategy(
        windows={"train": 50, "validation": 15, "test": 20},
        costs={"fee_bps": 2, "slippage_bps": 1},
        benchmarks=[],
        **(own | sections),
    )
