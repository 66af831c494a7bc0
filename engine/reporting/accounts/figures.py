"""What the pages of paper accounts show, as values; `engine.server` fills them from the journal.

Money is in the currency of the bars: the capital of the account is in it already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


@dataclass(frozen=True)
class SymbolFigures:
    """One symbol at the newest decision.

    Attributes:
        symbol: Symbol.
        forecast: Predicted return of the horizon, a fraction; None in a window without a fit.
        target_weight: Fraction of the equity to hold.
        held_weight: Fraction that is held.
        value: Money held, signed.
        close: Close that it is marked at; None before its first bar.
    """

    symbol: str
    forecast: float | None
    target_weight: float
    held_weight: float
    value: float
    close: float | None


@dataclass(frozen=True)
class OrderFigures:
    """An order that waits for its fill; `due` is None where the calendar does not say."""

    symbol: str
    target_weight: float
    decided_on: pd.Timestamp
    due_in_bars: int
    due: pd.Timestamp | None


@dataclass(frozen=True)
class EventFigures:
    """Something that happened to an account; see `EventRow` of the journal.

    Attributes:
        at: When.
        kind: Kind of the event.
        bar: The bar that it is about, where it is about one.
        text: What more is known, in a sentence; may be empty.
        is_alert: Whether somebody should know of it.
    """

    at: pd.Timestamp
    kind: str
    bar: pd.Timestamp | None
    text: str
    is_alert: bool = False


@dataclass(frozen=True)
class SinkFigures:
    """Where messages of an account go.

    Attributes:
        name: Its name.
        target: Where it sends to, without what may be secret.
        delivered_at: When it took a message last; None before the first.
        failing: Why it does not take the next message; empty where it does.
        dead_letters: Messages that were given up and not delivered since.
    """

    name: str
    target: str
    delivered_at: pd.Timestamp | None
    failing: str
    dead_letters: int


@dataclass(frozen=True)
class AccountFigures:
    """The present state of an account.

    Attributes:
        name: Its name.
        strategy: Name of the strategy.
        dataset: Name of the dataset.
        offline: Whether it is the offline one.
        interval: Length of a bar.
        calendar: Of the bars.
        capital: Equity at the start.
        created_at: When it was started.
        certified_by: Id of the run that tested the strategy for look-ahead.
        run_url: Address of that run's page; empty where the reports have no such run.
        stopped: Whether it was stopped.
        process: The process that runs it, as `process 4711`; empty where none does.
        decided_bar: Newest bar that was decided; None before the first.
        decided_at: When it was decided.
        decided_late: Whether that was after the grace time.
        symbols: Every symbol at that decision.
        orders: Orders that wait for their fill.
        equity: At the close of that bar; the capital before the first.
        cash: Cash.
        newest_bar: Newest bar that the account knows.
        age_s: Seconds since that bar ended.
        due_at: When the next bar has to be there, grace time included; None where the calendar
            does not say.
        overdue_s: Seconds since then; None where it is not overdue, or the account is stopped.
        alerts: Newest events that somebody should know of, newest first.
        event_counts: Kind -> number of events.
        late_bars: Bars decided after their grace time.
        missed_orders: Orders that were not placed, because their price had passed.
        absent_bars: Bars that the calendar has and that never came.
        decision_count: Number of decisions.
        fitted_at: When models were fitted last; None where none were since the start.
        comparison: The last comparison with the backtest; None before the first.
        sinks: Where its messages go.
    """

    name: str
    strategy: str
    dataset: str
    offline: bool
    interval: str
    calendar: str
    capital: float
    created_at: pd.Timestamp
    certified_by: str
    run_url: str
    stopped: bool
    process: str
    decided_bar: pd.Timestamp | None
    decided_at: pd.Timestamp | None
    decided_late: bool
    symbols: tuple[SymbolFigures, ...]
    orders: tuple[OrderFigures, ...]
    equity: float
    cash: float
    newest_bar: pd.Timestamp
    age_s: float
    due_at: pd.Timestamp | None
    overdue_s: float | None
    alerts: tuple[EventFigures, ...] = ()
    event_counts: Mapping[str, int] = field(default_factory=dict)
    late_bars: int = 0
    missed_orders: int = 0
    absent_bars: int = 0
    decision_count: int = 0
    fitted_at: pd.Timestamp | None = None
    comparison: EventFigures | None = None
    sinks: tuple[SinkFigures, ...] = ()


@dataclass(frozen=True)
class JournalFigures:
    """All accounts, or why there are none to show.

    Attributes:
        place: The journal, as shown.
        exists: Whether there is such a file.
        problem: Why it cannot be read; empty where it can.
        accounts: The accounts that can be read, in the order of their names.
        unreadable: Name of each other account -> what is wrong with it.
        version: Changes with every row that is written.
    """

    place: str
    exists: bool
    problem: str = ""
    accounts: tuple[AccountFigures, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


@dataclass(frozen=True)
class DecisionFigures:
    """One decision in the table of decisions."""

    bar: pd.Timestamp
    decided_at: pd.Timestamp
    late: bool
    forecasts: Mapping[str, float | None]
    targets: Mapping[str, float]
    equity: float | None


@dataclass(frozen=True)
class FillFigures:
    """One fill; `value` and the costs in money."""

    bar: pd.Timestamp
    symbol: str
    side: str
    units: float
    price: float
    value: float
    costs: float
    margin_call: bool


@dataclass(frozen=True)
class ConeFigures:
    """The backtest's cone beside the account.

    Attributes:
        resamples: Number of resampled paths.
        block_length_bars: Mean length of a block.
        run_bars: Bars of the backtest.
        position: Where the account lies now: `inside`, `above`, `below`, or `after` its end.
    """

    resamples: int
    block_length_bars: float
    run_bars: int
    position: str


@dataclass(frozen=True)
class AccountDetail:
    """The page of one account.

    Attributes:
        account: Its present state.
        growth: Index timestamp; column `account` (growth of 1 at the close, NaN after the newest
            bar) and, where there is a cone, `low`, `median` and `high`. Empty before the first
            decision.
        max_drawdown_pct: Largest loss from a peak since the start, at most 0.
        cone: About the cone; None where there is none.
        cone_missing: Why there is none.
        decisions: Newest first.
        fills: Newest first.
        events: Newest first.
        decision_count: Number of all decisions.
        fill_count: Number of all fills.
        event_count: Number of all events.
        version: As in `JournalFigures`.
    """

    account: AccountFigures
    growth: pd.DataFrame
    max_drawdown_pct: float
    cone: ConeFigures | None
    cone_missing: str
    decisions: tuple[DecisionFigures, ...]
    fills: tuple[FillFigures, ...]
    events: tuple[EventFigures, ...]
    decision_count: int
    fill_count: int
    event_count: int
    version: str
