"""Paper accounts on perpetuals whose funding rates arrive with their bars, or after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.progress import NullProgress
from engine.data import read_manifest
from engine.data.market import Market
from engine.live.feeds.funding import no_rates
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal, NewEvent
from engine.live.journal.rows import AccountRow
from engine.live.paper.account import manifest_to_json
from engine.live.paper.account_history import history_path, write_history
from engine.live.paper.account_runner import AccountRunner, RunContext
from engine.live.paper.settings import PaperSettings
from engine.selftest.generated_bars import draw_funding
from engine.strategy import load_strategy
from tests.live.manual_clock import ManualClock
from tests.live.paper.accounts import (
    HISTORY,
    NAME,
    PaperMarket,
    ScriptedFeed,
    make_bars,
)
from tests.live.paper.accounts import write_history as write_files
from tests.pipeline.markets import write_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.data.funding_rates import FundingRates

COSTS = {"kind": "itemised", "funding": {"missing": "zero"}, "borrow_bps_per_year": 50}


@dataclass
class ArrivingRates:
    """Hands out each rate from a second after its payment on, or when a test says."""

    rows: pd.DataFrame
    clock: ManualClock

    def delay(self, place: int, by: str) -> None:
        """Lets the rates of the payment of a place arrive later; `never` for not at all."""
        due = self.rows["timestamp"].drop_duplicates().sort_values().iloc[place]
        chosen = self.rows["timestamp"] == due
        if by == "never":
            self.rows = self.rows[~chosen]
        else:
            self.rows.loc[chosen, "arrives"] += pd.Timedelta(by)

    def fetch(self, after: Mapping[str, pd.Timestamp]) -> pd.DataFrame:
        here = self.rows[self.rows["arrives"] <= self.clock.now()]
        chosen = [
            here[(here["symbol"] == symbol) & (here["timestamp"] > last)]
            for symbol, last in after.items()
        ]
        return pd.concat([no_rates(), *chosen])[["timestamp", "symbol", "rate"]]


@dataclass
class FundedAccount(PaperMarket):
    """An account with the rates that will come.

    Attributes:
        rates: Of the account.
        whole: The market with every bar and rate.
    """

    rates: ArrivingRates
    whole: Market

    def play(self, bars: int, *, seconds: float = 1.0) -> None:
        """One process over so many bars, a look at each and after the wait for its rates."""
        with self.journal() as journal:
            context = RunContext(
                journal,
                self.home,
                self.clock,
                NullProgress(),
                open_rates=lambda *_: self.rates,
            )
            runner = AccountRunner(self.account, self.feed, context)
            for bar in self.coming[:bars]:
                for wait in (seconds, 16.0):
                    self.clock.sleep_until(self.bars.end(bar) + pd.Timedelta(seconds=wait))
                    runner.decide_bars()


def start_funded(folder: Path, *, price: str = "open") -> FundedAccount:
    """An account of hourly bars of perpetuals that are funded every eight hours."""
    bars = make_bars()
    manifest = read_manifest(str(write_files(folder / "market", bars, HISTORY)))
    overrides = {"costs": COSTS, "execution.price": price, "data.targets": "all"}
    spec = load_strategy(write_strategy(folder, manifest.path), overrides)
    symbols = manifest.dataset.symbols
    whole = Market(
        bars=bars.table,
        symbols=symbols,
        interval="1h",
        calendar="24/7",
        periods_per_year=8766.0,
        provenance={"name": "made-up", "offline": False},
    )
    rates = draw_funding(np.random.default_rng(3), whole)
    whole = Market(**{**_fields(whole), "funding": rates})
    last = bars.labels[HISTORY - 1]
    home, clock = folder / "home", ManualClock(str(bars.end(last).tz_localize(None)))
    account = AccountRow(
        name=NAME,
        created_at=clock.now(),
        strategy=spec.name,
        specification=spec.model_dump_json(),
        dataset=manifest.dataset.name,
        manifest=manifest_to_json(manifest),
        offline=False,
        interval="1h",
        calendar="24/7",
        capital=100_000.0,
        settings=PaperSettings().model_dump_json(),
        certified_by="",
        history_hash=write_history(history_path(home, NAME), whole.until(last)),
        history_last=last,
    )
    with Journal(journal_path(home)) as journal:
        detail = {"capital": account.capital, "settings": {}}
        journal.create_account(account, NewEvent(clock.now(), "started", detail=detail))
    feed = ScriptedFeed(bars, clock)
    coming = ArrivingRates(_coming(rates, symbols), clock)
    return FundedAccount(bars, home, spec, clock, feed, account, coming, whole)


def _fields(market: Market) -> dict[str, object]:
    names = ("bars", "symbols", "interval", "calendar", "periods_per_year", "provenance")
    return {name: getattr(market, name) for name in names}


def _coming(rates: FundingRates, symbols: tuple[str, ...]) -> pd.DataFrame:
    tables = []
    for symbol in symbols:
        own = rates.of(symbol)
        stamps = pd.to_datetime(own.instants, unit="us", utc=True).as_unit("us")
        tables.append(pd.DataFrame({"timestamp": stamps, "symbol": symbol, "rate": own.rates}))
    rows = pd.concat(tables, ignore_index=True)
    return rows.assign(arrives=rows["timestamp"] + pd.Timedelta(seconds=1))
