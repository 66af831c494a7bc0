"""The paper account beside the backtest over the same bars: equal, or different for a cause.

The expected account begins empty at the first bar that the paper account decided, and trades the
weights of the run over all bars. On the bars that the account received only orders that were
missed or deferred can make a difference; on the bars as they are now, corrected ones and bars that
never came too. Anything else is an error of the engine, and told as such.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.core.errors import DataError, UsageError
from engine.data.rates import load_rates
from engine.live.fitted_strategy import fit_windows
from engine.live.journal.journal import NewEvent
from engine.live.loop.market_bars import MarketBars
from engine.live.market import load_market
from engine.live.paper.account import manifest_of
from engine.live.paper.account_bars import VALUES, load_account_market
from engine.live.paper.account_difference import (
    ABSENT,
    ADDED,
    DEFERRED,
    FUNDING,
    MISSED,
    REVISED,
    Causes,
    Difference,
    ExpectedBar,
    explain_difference,
    has_same_equity,
    has_same_targets,
)
from engine.live.paper.account_funding import HeldBar, differing_payments
from engine.live.paper.account_history import history_path, read_history
from engine.live.paper.rate_watch import funding_of
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import (
    assemble_strategy_predictions,
    decide_model_positions,
    predict_windows,
)
from engine.signals.orders import place_orders
from engine.simulation.account import Account
from engine.simulation.bar_step import step
from engine.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engine.core.progress import Progress
    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.live.journal.reader import JournalReader
    from engine.live.journal.rows import AccountRow
    from engine.live.paper.account_funding import AccountFunding
    from engine.pipeline.prepared_data import PreparedData


class BacktestComparison:
    """Compares an account with the backtest.

    Args:
        reader: The journal.
        account: The account; it has decided a bar.
        home: Folder of its history and of fits.
        progress: Receives progress and notices.
        workers: Processes to train in.
    """

    def __init__(
        self,
        reader: JournalReader,
        account: AccountRow,
        home: Path,
        *,
        progress: Progress,
        workers: int | None = None,
    ) -> None:
        self._reader, self._account, self._home = reader, account, home
        self._progress, self._workers = progress, workers
        self._spec = Strategy.model_validate_json(account.specification)
        self._decisions = reader.targets(account.name)
        self._equity = reader.equity_by_bar(account.name)
        self._market = load_account_market(reader, account, home)

    def on_received_bars(self) -> Difference:
        """On the bars that the account received."""
        return self._compare(self._market, self._order_causes())

    def on_present_bars(self, market: Market) -> Difference:
        """On the bars as they are now.

        Args:
            market: Later bars are left out.

        Raises:
            UsageError: It has other symbols than the account.
            DataError: It has no bar that the account decided.
        """
        if set(market.symbols) != set(self._market.symbols):
            raise UsageError(
                "the dataset has other symbols than the account",
                expected=", ".join(self._market.symbols),
                found=", ".join(market.symbols),
                where=market.provenance["name"],
            )
        bars = market.bars[market.bars["timestamp"] <= max(self._decisions)]
        order = {symbol: number for number, symbol in enumerate(self._market.symbols)}
        sorted_bars = bars.assign(place=bars["symbol"].map(order)).sort_values(
            ["timestamp", "place"], ignore_index=True
        )
        present = replace(
            self._market,
            bars=sorted_bars[list(self._market.bars.columns)],
            funding=market.funding,
        )
        if sorted_bars["timestamp"].iloc[-1] < min(self._decisions):
            raise DataError(
                "the dataset has no bar that the account decided",
                expected=f"bars from {min(self._decisions)} on",
                found=f"bars up to {sorted_bars['timestamp'].iloc[-1]}",
                where=market.provenance["name"],
            )
        causes = self._order_causes() | self._bar_causes(present) | self._rate_causes(present)
        return self._compare(present, causes)

    def _compare(self, market: Market, causes: Causes) -> Difference:
        expected = self.expected_account(market)
        last = market.bars["timestamp"].iloc[-1]
        decided = [bar for bar in self._decisions if bar <= last]
        wrong_targets = [
            bar for bar in decided if not has_same_targets(self._decisions[bar], expected.get(bar))
        ]
        wrong_equity = [
            bar for bar in decided if not has_same_equity(self._equity[bar], expected.get(bar))
        ]
        first = min((*wrong_targets, *wrong_equity), default=None)
        return Difference(
            bars=len(decided),
            targets=len(wrong_targets),
            equity=len(wrong_equity),
            first=first,
            account_equity=self._equity[decided[-1]],
            expected_equity=expected[max(expected)].equity if expected else 1.0,
            causes=explain_difference(wrong_targets, wrong_equity, causes),
        )

    def _order_causes(self) -> dict[str, tuple[pd.Timestamp, ...]]:
        orders = self._reader.orders(self._account.name)
        return {
            cause: tuple(dict.fromkeys(row.bar for row in orders if row.status == status))
            for cause, status in ((MISSED, "missed"), (DEFERRED, "deferred"))
        }

    def _bar_causes(self, present: Market) -> dict[str, tuple[pd.Timestamp, ...]]:
        """The bars that differ from those that were received, or are on one side alone."""
        keys = ["timestamp", "symbol"]
        last = present.bars["timestamp"].iloc[-1]
        received = self._market.bars[self._market.bars["timestamp"] <= last]
        known, now = (
            bars.dropna(subset="close").set_index(keys)[list(VALUES)]
            for bars in (received, present.bars)
        )
        both = known.index.intersection(now.index)
        was, is_ = known.loc[both], now.loc[both]
        same = (was == is_) | (was.isna() & is_.isna())
        return {
            REVISED: _stamps(both[~same.all(axis=1).to_numpy()]),
            ABSENT: _stamps(now.index.difference(known.index)),
            ADDED: _stamps(known.index.difference(now.index)),
        }

    def _rate_causes(self, present: Market) -> dict[str, tuple[pd.Timestamp, ...]]:
        """The bars whose funding rates are others now, or had not come when they were decided."""
        if present.funding is None or self._market.funding is None:
            return {}
        differing = {
            instant
            for symbol in present.funding.by_symbol
            for instant in differing_payments(
                present.funding.of(symbol), self._market.funding.of(symbol)
            )
        }
        ends = [present.end_of(bar) for bar in self._decisions]
        places = {int(np.searchsorted(ends, instant)) for instant in differing}
        bars = list(self._decisions)
        return {FUNDING: tuple(bars[place] for place in sorted(places) if place < len(bars))}

    def expected_account(self, market: Market) -> dict[pd.Timestamp, ExpectedBar]:
        """Bar -> what the run decides and a new account of it holds, from the first decision."""
        prepared = prepare_data(self._spec, market)
        fits = fit_windows(
            self._spec,
            prepared,
            prepared.windows,
            home=self._home,
            workers=self._workers,
            progress=self._progress,
        )
        fits = replace(fits, forecasts=predict_windows(prepared, fits))
        predictions = assemble_strategy_predictions(prepared, fits)
        weights = decide_model_positions(self._spec, prepared, predictions)
        return dict(self._fold(prepared, weights.loc[min(self._decisions) :]))

    def _fold(
        self, prepared: PreparedData, weights: WideFrame
    ) -> Iterator[tuple[pd.Timestamp, ExpectedBar]]:
        symbols = list(weights.columns)
        market, execution = prepared.market, self._spec.execution
        bound = self._spec.bind_costs(market)
        bars = MarketBars(market, tuple(symbols), panel=self._spec.is_panel, price=execution.price)
        rates = load_rates(self._spec.rates).cash.at(pd.DatetimeIndex(weights.index))
        account, held = Account(), list[HeldBar]()
        late = self._late_rates(market)
        for number, stamp in enumerate(pd.DatetimeIndex(weights.index)):
            targets = dict(zip(symbols, weights.iloc[number].tolist(), strict=True))
            prices = bars.at(stamp)
            if late is not None and held:
                account = late.corrected(account, held)
            before = account
            account, _ = step(
                account,
                prices,
                (),
                bound,
                price=execution.price,
                cash_rate=float(rates[number]),
                maintenance_margin=execution.maintenance_margin,
            )
            if not account.ruined:
                orders = place_orders(
                    account.targets,
                    targets,
                    decided_on=stamp,
                    delay=execution.delay,
                    not_before=prices.closed_at,
                )
                account = account.model_copy(update={"orders": (*account.orders, *orders)})
            held.append(HeldBar(stamp, before, account))
            yield stamp, ExpectedBar(targets, account.equity)

    def _late_rates(self, market: Market) -> AccountFunding | None:
        """The rates that came late, where the account is compared on what it received."""
        history = read_history(
            history_path(self._home, self._account.name), self._account.history_hash
        )
        if market is not self._market or history.funding is None:
            return None
        return funding_of(self._reader, self._account, self._spec, history.funding)


def compare_account(
    reader: JournalReader,
    account: AccountRow,
    home: Path,
    *,
    progress: Progress,
    workers: int | None,
    at: pd.Timestamp,
) -> list[NewEvent]:
    """A comparison as events: that it was made, and each difference that was not told yet.

    Args:
        reader: The journal.
        account: The account; it has decided a bar.
        home: Folder of its history and of fits.
        progress: Receives progress and notices.
        workers: Processes to train in.
        at: Now.

    Raises:
        TrainingError: A fit failed.
    """
    comparison = BacktestComparison(reader, account, home, progress=progress, workers=workers)
    received = comparison.on_received_bars()
    present, problem = None, ""
    try:
        market = load_market(
            Strategy.model_validate_json(account.specification),
            dataset=str(manifest_of(account).path),
            offline=account.offline,
            home=home,
            sealed=False,
        )
        present = comparison.on_present_bars(market)
    except (DataError, UsageError) as error:  # the paper account goes on without them
        problem = error.problem
    detail = {
        "received": received.as_json(),
        "present": None if present is None else present.as_json(),
        "problem": problem,
    }
    events = [NewEvent(at, "comparison", detail=detail)]
    told = [each.detail for each in reader.events(account.name) if each.kind == "difference"]
    for name, found in (("received", received), ("present", present)):
        if found is None or found.first is None:
            continue
        own = {"compared_on": name, **found.as_json()}
        known = [each for each in told if each["compared_on"] == name]
        if not known or not _is_same(known[-1], own):
            events.append(NewEvent(at, "difference", found.first, own))
    return events


def _is_same(told: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a difference was told: it has the first bar and the causes of one that was."""
    return bool(told["first"] == now["first"] and told["causes"] == now["causes"])


def _stamps(index: pd.Index) -> tuple[pd.Timestamp, ...]:
    return tuple(pd.DatetimeIndex(index.get_level_values(0).unique()).sort_values())
