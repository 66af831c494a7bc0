"""The step `books`: every book again, one bar after the other, from positions and bars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.live.loop.market_bars import place_in_time
from engine.pipeline.steps import make_decision_spec
from engine.signals.benchmarks import BenchmarkRule, compute_benchmark_weights
from engine.signals.orders import place_orders
from engine.simulation.account import Account, BarPrices, Fill, known_prices
from engine.simulation.bar_step import step
from engine.simulation.portfolio import simulate_all
from engine.verification.compare import compare_tables, describe_counts, first, first_of
from engine.verification.result import RunDifference, StepResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.progress import Progress
    from engine.core.types import BoolVector, Vector, WideFrame
    from engine.data import Market
    from engine.signals.orders import Order
    from engine.simulation.portfolio import SimulationResult
    from engine.verification.stored_run import StoredRun

_FINANCING = ("funding", "loan_interest")


@dataclass(frozen=True)
class FoldedAccount:
    """A book as an account that steps over its bars keeps it.

    Attributes:
        returns: Net return of each bar.
        trades: The fills, with the columns of `SimulationResult.trades`.
        held_weights: Wide: fraction of the equity held at each close.
        financing: By timestamp: `funding` and `loan_interest`.
    """

    returns: pd.Series[float]
    trades: pd.DataFrame
    held_weights: WideFrame
    financing: pd.DataFrame


def check_books(
    stored: StoredRun, progress: Progress
) -> tuple[StepResult, dict[str, FoldedAccount]]:
    """Whether returns and trades of every book are those of an account that folds `step`.

    Returns:
        The result, and the accounts up to the first that differs.
    """
    bars = BookBars(stored)
    accounts: dict[str, FoldedAccount] = {}
    difference = first_of(lambda: _check_positions(stored), lambda: _check_rules(stored))
    for place, book in enumerate(stored.books):
        if difference is not None:
            break
        accounts[book] = bars.fold(stored.weights(book))
        progress.advance(place + 1, len(stored.books), book)
        difference = _compare_book(stored, book, accounts[book])
    if difference is None:
        difference = _compare_financing(stored, accounts[STRATEGY_BOOK])
    counts = [(len(stored.books), "books"), (len(bars.stamps), "bars")]
    counts.append((len(stored.run.trades), "fills"))
    told = f"{describe_counts(counts)}, each bar stepped over again"
    return StepResult.of("books", told, difference), accounts


def simulate_stored(stored: StoredRun) -> dict[str, SimulationResult]:
    """Every book by the compiled fold, which tells waits and limits too; returns as stored."""
    prepared, spec = stored.prepared, stored.spec
    lags = prepared.fill_lags(spec)
    made = simulate_all(
        {book: stored.weights(book) for book in stored.books},
        prepared.wide("open"),
        prepared.wide("close"),
        costs=spec.bind_costs(prepared.market),
        execution=spec.execution,
        traded=prepared.traded,
        settlements=prepared.settlements,
        cash_rates=prepared.rates_by_bar.cash,
        bar_by_bar=True,
        lags=lags,
    )
    return {
        book: replace(each, returns=stored.run.returns[book], trades=stored.trades(book))
        for book, each in made.items()
    }


class BookBars:
    """The out-of-sample bars of a run as `step` takes them."""

    def __init__(self, stored: StoredRun) -> None:
        prepared, self.spec = stored.prepared, stored.spec
        market, targets = prepared.market, prepared.targets
        self.stamps = pd.DatetimeIndex(prepared.span)
        self.symbols = list(targets)
        self.costs = self.spec.bind_costs(market)
        self.cash = prepared.rates_by_bar.cash.to_numpy(dtype=np.float64)
        rows = prepared.tested
        opens, closes = (market.wide(name, targets).to_numpy()[rows] for name in ("open", "close"))
        self._bars = [
            _make_bar(stamp, self.symbols, *values)
            for stamp, *values in zip(
                self.stamps, opens, closes, prepared.traded.to_numpy(), strict=True
            )
        ]
        if market.assembly is not None and prepared.fill_lags(self.spec) is not None:
            self._place_in_time(market)
        if market.has_absences:
            self._add_absences(
                market.settlements[self.symbols].iloc[rows], prepared.target_close.iloc[rows]
            )

    def _place_in_time(self, market: Market) -> None:
        """When each bar of symbols on several exchanges is decided, and its prices are."""
        if market.assembly is None:
            return
        names, price = market.symbols, self.spec.execution.price
        for row, bar in enumerate(self._bars):
            is_there = market.present.loc[self.stamps[row]].to_numpy()
            there = [name for name, present in zip(names, is_there, strict=True) if present]
            self._bars[row] = place_in_time(bar, market.assembly, there, price)

    def _add_absences(self, settlements: WideFrame, marks: WideFrame) -> None:
        """What is paid for symbols that are delisted, and in which order amounts are added up."""
        paid_prices = marks.to_numpy(dtype=np.float64)
        for row, paid in enumerate(settlements.to_numpy()):
            names = [symbol for symbol, is_paid in zip(self.symbols, paid, strict=True) if is_paid]
            settled = {symbol: paid_prices[row, self.symbols.index(symbol)] for symbol in names}
            self._bars[row] = self._bars[row].model_copy(
                update={"settled": settled, "symbols": tuple(self.symbols)}
            )

    def fold(self, weights: WideFrame) -> FoldedAccount:
        """Steps over every bar; at each close the row's weights are decided."""
        execution, targets = self.spec.execution, weights.to_numpy(dtype=np.float64).tolist()
        account = Account()
        orders: tuple[Order, ...] = ()
        accounts: list[Account] = []
        fills: list[Fill] = []
        for row, bar in enumerate(self._bars):
            account, filled = step(
                account,
                bar,
                orders,
                self.costs,
                price=execution.price,
                cash_rate=float(self.cash[row]),
                maintenance_margin=execution.maintenance_margin,
            )
            accounts.append(account)
            fills.extend(filled)
            orders = self._place(account, dict(zip(self.symbols, targets[row], strict=True)), row)
        return self._tabulate(accounts, fills)

    def _place(
        self, account: Account, targets: Mapping[str, float], row: int
    ) -> tuple[Order, ...]:
        if account.ruined:
            return ()
        return place_orders(
            account.targets,
            targets,
            decided_on=self.stamps[row],
            delay=self.spec.execution.delay,
            not_before=self._bars[row].closed_at,
        )

    def _tabulate(self, accounts: list[Account], fills: list[Fill]) -> FoldedAccount:
        held = pd.DataFrame(
            [{} if each.ruined else each.held_weights for each in accounts],
            index=self.stamps,
            columns=self.symbols,
        )
        names = list(Fill.model_fields)
        return FoldedAccount(
            returns=pd.Series([each.bar_return for each in accounts], index=self.stamps),
            trades=pd.DataFrame([fill.model_dump() for fill in fills], columns=names),
            held_weights=held.astype(np.float64).fillna(0.0),
            financing=pd.DataFrame(
                {name: [getattr(each, name) for each in accounts] for name in _FINANCING},
                index=self.stamps,
            ),
        )


def _make_bar(
    stamp: pd.Timestamp, symbols: list[str], opens: Vector, closes: Vector, traded: BoolVector
) -> BarPrices:
    """The bar of the symbols that have one."""
    close = known_prices(dict(zip(symbols, closes.tolist(), strict=True)))
    return BarPrices(
        timestamp=stamp,
        open=known_prices(dict(zip(symbols, opens.tolist(), strict=True))),
        close=close,
        traded={
            s: is_traded
            for s, is_traded in zip(symbols, traded.tolist(), strict=True)
            if s in close
        },
    )


def _check_positions(stored: StoredRun) -> RunDifference | None:
    """A weight of every book and target at every bar, each once, and of nothing else."""
    positions, run = stored.run.positions, stored.run
    keys = pd.MultiIndex.from_frame(positions[["timestamp", "book", "symbol"]])
    expected = pd.MultiIndex.from_product([run.returns.index, stored.books, run.manifest.target])
    for problem, places in (
        ("a row that is twice there", keys[keys.duplicated()]),
        ("no row", expected.difference(keys)),
        ("a row of no book, bar or target", keys.difference(expected)),
    ):
        if len(places):
            stamp, book, symbol = places[0]
            return RunDifference("positions.parquet", problem, f"{book} {symbol}", f"{stamp}")
    span = pd.DatetimeIndex(stored.prepared.span)
    if not span.equals(pd.DatetimeIndex(run.returns.index)):
        return RunDifference("returns.parquet", "other bars than those of the test windows")
    return None


def _check_rules(stored: StoredRun) -> RunDifference | None:
    """The weights of the benchmarks that are rules of past closes, but no optimum of them."""
    spec, prepared = stored.spec, stored.prepared
    terms = make_decision_spec(spec, prepared.market)
    rules = {
        name: rule
        for name, rule in spec.books().items()
        if isinstance(rule, BenchmarkRule) and not getattr(rule, "is_optimised", False)
    }

    def compare(name: str, rule: BenchmarkRule) -> RunDifference | None:
        decided = compute_benchmark_weights(
            rule,
            prepared.target_close,
            prepared.span,
            spec.max_weight,
            terms,
            prepared.eligible,
        )
        found = stored.weights(name)
        tables = (each.add_prefix(f"{name} ") for each in (decided, found))
        return compare_tables("positions.parquet", *tables, bar=None)

    return first(compare(name, rule) for name, rule in rules.items())


def _compare_book(stored: StoredRun, book: str, account: FoldedAccount) -> RunDifference | None:
    """The earlier one of the first differing return and the first differing fill."""
    own = stored.run.returns[[book]]
    returns = compare_tables("returns.parquet", account.returns.to_frame(book), own, bar=None)
    found = stored.trades(book)
    columns = [name for name in account.trades if name in found]
    expected = account.trades[columns].astype({c: found[c].dtype for c in columns})
    trades = compare_tables("trades.parquet", expected, found[columns])
    if trades is not None:
        trades = replace(trades, column=f"{book} {trades.column}".strip())
    if returns is None or trades is None:
        return trades or returns
    return min(trades, returns, key=lambda each: each.bar)


def _compare_financing(stored: StoredRun, account: FoldedAccount) -> RunDifference | None:
    """What the strategy paid beside its fills, where the run has a table of it."""
    if stored.run.financing is None:
        return None
    return compare_tables("financing.parquet", account.financing, stored.run.financing, bar=None)
