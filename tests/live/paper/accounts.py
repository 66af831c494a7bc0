"""Paper accounts on made-up markets: bars arrive when a test says, by a clock that it sets."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.progress import NullProgress
from engine.data.bar_grid import next_bar_labels
from engine.data.bar_times import TradingTimes
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal, NewEvent
from engine.live.paper.account import start_account
from engine.live.paper.account_history import history_path
from engine.live.paper.account_runner import RunContext
from engine.live.paper.journal_check import check_journal
from engine.live.paper.run import PaperRun
from engine.live.paper.settings import PaperSettings
from engine.strategy import Strategy, load_strategy
from engine.trials import LedgerEntry
from tests.live.manual_clock import ManualClock
from tests.pipeline.markets import write_strategy
from tests.trials.factories import data_scope, outcome

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live.clock import Clock
    from engine.live.feeds import FeedSpec
    from engine.live.journal.rows import AccountRow, EventRow

HISTORY = 450
"""Bars before an account starts: one window of the strategy has begun."""

SYMBOLS = ("AAA", "BBB")
NAME = "small"


@dataclass
class Bars:
    """The bars of a market, past and to come.

    Attributes:
        table: Long bars of all symbols.
        interval: Length of a bar.
        calendar: When they are traded.
    """

    table: pd.DataFrame
    interval: str
    calendar: str

    @property
    def labels(self) -> pd.DatetimeIndex:
        """The timestamps."""
        return pd.DatetimeIndex(self.table["timestamp"].unique())

    def end(self, bar: pd.Timestamp) -> pd.Timestamp:
        """When a bar is complete."""
        return TradingTimes(self.interval, self.calendar).close(bar)


def make_bars(
    *,
    first: str = "2024-01-01",
    interval: str = "1h",
    calendar: str = "24/7",
    count: int = HISTORY + 40,
    symbols: tuple[str, ...] = SYMBOLS,
    seed: int = 0,
) -> Bars:
    """Random walks whose returns come again on the next bar, so that a model finds something."""
    before = pd.Timestamp(first, tz="UTC") - pd.Timedelta(days=4)
    labels = next_bar_labels(before, interval, calendar, count)
    tables = []
    for number, symbol in enumerate(symbols):
        rng = np.random.default_rng((seed, number))
        returns = shocks = 0.01 * rng.standard_normal(count)
        for row in range(1, count):
            returns[row] = 0.4 * returns[row - 1] + shocks[row]
        close = 100 * np.exp(np.cumsum(returns))
        opened = np.concatenate([[100.0], close[:-1]]) * np.exp(0.001 * rng.standard_normal(count))
        spread = 1 + 0.003 * rng.random((2, count))
        tables.append(
            pd.DataFrame(
                {
                    "timestamp": labels,
                    "symbol": symbol,
                    "open": opened,
                    "high": np.maximum(opened, close) * spread[0],
                    "low": np.minimum(opened, close) / spread[1],
                    "close": close,
                    "volume": rng.integers(1_000, 9_000, count).astype(float),
                }
            )
        )
    table = pd.concat(tables).sort_values("timestamp", kind="stable", ignore_index=True)
    return Bars(table, interval, calendar)


class ScriptedFeed:
    """Hands out bars when they arrive; each arrives a second after its end unless told otherwise.

    Args:
        bars: All of them.
        clock: The time.
    """

    is_exhausted = False

    def __init__(self, bars: Bars, clock: ManualClock) -> None:
        self._bars, self._clock = bars, clock
        rows = bars.table.copy()
        ends = {bar: bars.end(bar) for bar in bars.labels}
        rows["arrives"] = rows["timestamp"].map(ends) + pd.Timedelta(seconds=1)
        self._rows = rows

    def delay(self, bar: pd.Timestamp, by: str, symbol: str | None = None) -> None:
        """Lets a bar arrive later; `never` for not at all."""
        chosen = self._rows["timestamp"] == bar
        if symbol is not None:
            chosen &= self._rows["symbol"] == symbol
        if by == "never":
            self._rows = self._rows[~chosen]
        else:
            self._rows.loc[chosen, "arrives"] += pd.Timedelta(by)

    def revise(self, bar: pd.Timestamp, symbol: str, at: pd.Timestamp, **values: float) -> None:
        """Lets other values of a bar arrive at an instant."""
        own = (self._rows["timestamp"] == bar) & (self._rows["symbol"] == symbol)
        revised = self._rows[own].assign(arrives=at, **values)
        self._rows = pd.concat([self._rows, revised]).sort_values(
            ["timestamp", "arrives"], kind="stable"
        )

    def wait(self, timeout_s: float) -> None:
        self._clock.sleep_until(self._clock.now() + pd.Timedelta(seconds=timeout_s))

    def fetch(self, after: pd.Timestamp) -> pd.DataFrame:
        here = self._rows[
            (self._rows["arrives"] <= self._clock.now()) & (self._rows["timestamp"] > after)
        ]
        newest = here.drop_duplicates(["timestamp", "symbol"], keep="last")
        ordered = newest.sort_values(["timestamp", "symbol"], ignore_index=True)
        return ordered.drop(columns="arrives")

    def close(self) -> None:
        pass


@dataclass
class PaperMarket:
    """A market with an account on it, and a home.

    Attributes:
        bars: Past and to come.
        home: Folder of the journal.
        spec: The strategy.
        clock: The time.
        feed: Of the account.
        account: The account.
    """

    bars: Bars
    home: Path
    spec: Strategy
    clock: ManualClock
    feed: ScriptedFeed
    account: AccountRow
    coming: pd.DatetimeIndex = field(init=False)
    second = pd.Timedelta(seconds=1)

    def __post_init__(self) -> None:
        self.coming = self.bars.labels[self.bars.labels > self.account.history_last]

    def play(self, bars: int, *, seconds: float = 1.0) -> None:
        """One process from now until so many seconds after the arrival of that many bars."""
        until = self.bars.end(self.coming[bars - 1]) + pd.Timedelta(seconds=1 + seconds)
        with self.process() as run:
            for bar in self.coming[:bars]:
                self.clock.sleep_until(self.bars.end(bar) + pd.Timedelta(seconds=1))
                run.run(once=True)
            self.clock.sleep_until(until)
            run.run(once=True)

    def look(self, instant: pd.Timestamp | None = None) -> None:
        """One process that decides what is there, at an instant or now."""
        if instant is not None:
            self.clock.sleep_until(instant)
        with self.process() as run:
            run.run(once=True)

    def process(self) -> PaperRun:
        """A process with the account; use it as a context."""
        context = RunContext(
            Journal(journal_path(self.home)), self.home, self.clock, NullProgress()
        )
        run = PaperRun(context, make_feed=lambda *_: self.feed)
        run.add(self.account.name)
        return run

    def journal(self) -> Journal:
        """The journal; use it as a context."""
        return Journal(journal_path(self.home))


def certify(spec: Strategy, home: Path) -> None:
    """Writes a run into the ledger that passed the leakage test."""
    entry = LedgerEntry(home / "ledger.sqlite", spec.model_dump(mode="json"), NullProgress())
    home.mkdir(parents=True, exist_ok=True)
    entry.begin("")
    entry.set_data_scope(data_scope())
    entry.finish(outcome(certificate="passed"))


def start_lenient(folder: Path, home: Path, spec: Strategy, clock: Clock, feed: FeedSpec) -> None:
    """An account by which nothing is late within a day, where a slow machine decides.

    `start_account` refuses such a grace time, so that its account is written again with it: for
    tests of what becomes of bars, whenever they are decided.
    """
    first = folder / "started"
    certify(spec, first)
    settings = PaperSettings(feed=feed)
    started = start_account(
        spec, name=NAME, capital=1_000.0, settings=settings, clock=clock, home=first
    )
    lenient = settings.model_copy(update={"grace_s": 86_400.0}).model_dump_json()
    file = history_path(home, NAME)
    file.parent.mkdir(parents=True)
    shutil.copy(history_path(first, NAME), file)
    with Journal(journal_path(home)) as journal:
        detail = {"capital": started.capital, "settings": {}}
        event = NewEvent(started.created_at, "started", detail=detail)
        journal.create_account(replace(started, settings=lenient), event)


def write_history(folder: Path, bars: Bars, history: int) -> Path:
    """A manifest and the files of the first bars."""
    folder.mkdir(parents=True, exist_ok=True)
    known = bars.table[bars.table["timestamp"] <= bars.labels[history - 1]]
    symbols = list(dict.fromkeys(known["symbol"]))
    for symbol in symbols:
        own = known[known["symbol"] == symbol].drop(columns="symbol")
        own.assign(timestamp=own["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(
            folder / f"{symbol}.csv", index=False
        )
    declared = ", prices: close, volume: none" if known["open"].isna().all() else ""
    manifest = folder / "market.yaml"
    manifest.write_text(
        f"name: made-up\ninterval: {bars.interval}\ncalendar: {bars.calendar}\n"
        f"symbols: [{', '.join(symbols)}]\nsources: [{{kind: files, path: .{declared}}}]\n"
    )
    return manifest


def start_paper(
    folder: Path,
    bars: Bars | None = None,
    *,
    settings: PaperSettings | None = None,
    model: str = "{kind: ridge}",
    overrides: dict[str, object] | None = None,
    history: int = HISTORY,
    capital: float = 100_000.0,
) -> PaperMarket:
    """Starts an account after the first bars of a market, at the end of the last of them."""
    bars = bars or make_bars()
    file = write_strategy(folder, write_history(folder / "market", bars, history), model)
    spec = load_strategy(file, overrides)
    home = folder / "home"
    certify(spec, home)
    last = bars.labels[history - 1]
    clock = ManualClock(str((bars.end(last) + pd.Timedelta(seconds=1)).tz_localize(None)))
    account = start_account(
        spec,
        name=NAME,
        capital=capital,
        settings=settings or PaperSettings(),
        clock=clock,
        home=home,
    )
    return PaperMarket(bars, home, spec, clock, ScriptedFeed(bars, clock), account)


def journal_of(market: PaperMarket) -> dict[str, list[object]]:
    """What has to be equal, whatever happened to the process: not when something was decided."""
    with market.journal() as journal:
        return {
            "decisions": [
                (row.bar, row.row, row.targets, row.state) for row in journal.decisions(NAME)
            ],
            "orders": list(journal.orders(NAME)),
            "fills": list(journal.fills(NAME)),
            "equity": list(journal.equity(NAME)),
            "bars": [replace(row, received_at=None) for row in journal.bars(NAME)],
        }


def events_of(market: PaperMarket, kind: str) -> list[EventRow]:
    """The events of one kind."""
    with market.journal() as journal:
        return [event for event in journal.events(NAME) if event.kind == kind]


def problems_of(market: PaperMarket) -> tuple[str, ...]:
    """What the journal contradicts itself in."""
    with market.journal() as journal:
        return check_journal(journal, market.account, market.home)
