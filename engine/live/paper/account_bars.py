"""The bars that a paper account knows: its history, and those that it has received since."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.panel import complete_rows
from engine.live.paper.account_funding import AccountFunding
from engine.live.paper.account_history import history_path, read_history
from engine.live.paper.row_assembly import RowAssembler
from engine.live.paper.stored_documents import settings_of
from engine.live.row_schedule import RowSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from engine.core.types import BarsFrame
    from engine.data import Market
    from engine.live.journal.reader import JournalReader
    from engine.live.journal.rows import AccountRow, BarRow
    from engine.live.row_schedule import Schedule

VALUES = ("open", "high", "low", "close", "volume")


def load_account_market(
    reader: JournalReader,
    account: AccountRow,
    home: Path,
    *,
    until: pd.Timestamp | None = None,
    newer: BarsFrame | None = None,
) -> Market:
    """The market as the account knows it: nothing of it was revised since it came.

    Args:
        reader: The journal.
        account: The account.
        home: Folder of its history.
        until: The last bar; None for all that are journaled.
        newer: Long bars that are not journaled yet, later than those.

    Raises:
        JournalError: The history is missing or another one.
    """
    history = read_history(history_path(home, account.name), account.history_hash)
    received = to_frame(reader.bars(account.name), history.bars)
    parts = [history.bars, received, *([] if newer is None else [newer])]
    bars = pd.concat([part for part in parts if len(part)], ignore_index=True)
    if until is not None:
        bars = bars[bars["timestamp"] <= until].reset_index(drop=True)
    if history.funding is not None:
        rows = reader.funding(account.name)
        # Payments are charged alike whatever price orders are filled at.
        funding = AccountFunding(history.funding, rows, account.interval, "open").rates()
        history = replace(history, funding=funding)
    return replace(history, bars=complete_rows(bars, history.symbols))


def assemble_rows(
    reader: JournalReader, account: AccountRow, market: Market, schedule: Schedule
) -> RowAssembler | None:
    """What joins the bars of an account on several exchanges; None on one calendar.

    Args:
        reader: The journal.
        account: The account.
        market: As the account knows it.
        schedule: When its rows come.
    """
    if market.assembly is None or not isinstance(schedule, RowSchedule):
        return None
    return RowAssembler.of_arrivals(
        market.assembly,
        reader.arrivals(account.name),
        schedule,
        delisted_after=pd.Timedelta(days=market.delisting.after_days),
        wait=pd.Timedelta(seconds=settings_of(account).grace_s / 2),
    )


def replace_bars(market: Market, revised: BarsFrame) -> Market:
    """The market with other values of some of its bars; of others nothing is taken."""
    keys = ["timestamp", "symbol"]
    bars = market.bars.set_index(keys)
    bars.update(revised.set_index(keys))
    return replace(market, bars=bars.reset_index()[list(market.bars.columns)])


def to_frame(rows: Iterable[BarRow], like: BarsFrame) -> BarsFrame:
    """Long bars of rows of the journal, with the types of `like`."""
    listed = list(rows)
    table = {
        "timestamp": [row.bar for row in listed],
        "symbol": [row.symbol for row in listed],
        **{column: [getattr(row, column) for row in listed] for column in VALUES},
    }
    return pd.DataFrame(table).astype(like.dtypes.to_dict())[list(like.columns)]


def align_bars(
    bars: BarsFrame, symbols: tuple[str, ...], panel: PanelWait | None = None
) -> list[BarsFrame]:
    """The bars of each timestamp at which every symbol has one, as a run uses no others.

    Args:
        bars: Long bars, each once.
        symbols: Of the market, in its order.
        panel: When a bar that symbols lack is decided without them; None where each has to have
            it.

    Returns:
        One frame a timestamp, ascending, a row a symbol in the order of `symbols`; of a panel a
        row a symbol that has the bar, up to the first timestamp that is waited for.
    """
    own = bars[bars["symbol"].isin(symbols)]
    aligned = []
    for _, group in own.groupby("timestamp", sort=True):
        there = [symbol for symbol in symbols if symbol in set(group["symbol"])]
        if len(there) < len(symbols):
            if panel is None:
                continue
            if not panel.is_complete(group["timestamp"].iloc[0], there):
                break
        ordered = group.set_index("symbol").loc[there].reset_index()
        aligned.append(ordered.astype(bars.dtypes.to_dict())[list(bars.columns)])
        if panel is not None:
            panel = replace(panel, expected=frozenset(there))
    return aligned


@dataclass(frozen=True)
class PanelWait:
    """When the bar of a panel is decided that not every symbol has.

    Attributes:
        expected: Symbols that had the bar before: with these the bar is complete.
        decided_from: Bar -> the instant from which on it is decided without the others.
        now: The time.
    """

    expected: frozenset[str]
    decided_from: Callable[[pd.Timestamp], pd.Timestamp]
    now: pd.Timestamp

    def is_complete(self, bar: pd.Timestamp, symbols: Iterable[str]) -> bool:
        """Whether no further symbol is waited for."""
        return self.expected <= frozenset(symbols) or self.now >= self.decided_from(bar)
