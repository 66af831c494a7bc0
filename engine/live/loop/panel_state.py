"""What a bar loop keeps of a panel: when symbols are listed, and their newest rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.panel import settlement_price
from engine.training.panel_rows import Absences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import IntVector
    from engine.data import Market
    from engine.data.membership import Membership
    from engine.data.universe_config import DelistingSpec
    from engine.features.stream import StreamedFeatures, StreamedRow
    from engine.live.loop.recent_rows import RecentRows
    from engine.models.fitted_model import FeatureRows, FittedModel


@dataclass(frozen=True)
class Listing:
    """What is known of a symbol after the bars so far.

    Attributes:
        bars: Bars that it had.
        newest: The last of them; None before the first.
        mark: What a unit is worth, see `Market.marks`; NaN before the first bar.
        is_listed: See `Market.listed`.
    """

    bars: int = 0
    newest: pd.Timestamp | None = None
    mark: float = np.nan
    is_listed: bool = False


@dataclass(frozen=True)
class PanelRules:
    """What decides whether a symbol of a panel is listed, a member and forecast.

    Attributes:
        symbols: The target symbols.
        interval: Length of a bar.
        bars_needed: Own bars up to the first that is forecast, its own included.
        membership: Who belongs to the universe; None where all always do.
        delisting: When a symbol is delisted, and what is paid.
    """

    symbols: tuple[str, ...]
    interval: str
    bars_needed: int
    membership: Membership | None
    delisting: DelistingSpec


@dataclass(frozen=True)
class PanelState:
    """The listings of the target symbols after a bar; no call changes it.

    Attributes:
        rules: What decides.
        listings: Target symbol -> what is known of it.
        present: Symbols that had the newest bar.
        newest: The newest bar; None before the first.
    """

    rules: PanelRules
    listings: Mapping[str, Listing]
    present: frozenset[str] = field(default_factory=frozenset)
    newest: pd.Timestamp | None = None

    @classmethod
    def of_history(cls, rules: PanelRules, market: Market) -> PanelState:
        """After the bars of a history."""
        listings = {}
        for symbol in rules.symbols:
            present = market.present[symbol].to_numpy()
            stamps = market.present.index[present]
            listings[symbol] = Listing(
                len(stamps),
                stamps[-1] if len(stamps) else None,
                float(market.marks[symbol].iloc[-1]),
                bool(market.listed[symbol].iloc[-1]),
            )
        last = market.present.iloc[-1]
        present_symbols = frozenset(symbol for symbol in rules.symbols if last[symbol])
        return cls(rules, listings, present_symbols, market.present.index[-1])

    def advance(
        self, timestamp: pd.Timestamp, closes: Mapping[str, float]
    ) -> tuple[PanelState, dict[str, float]]:
        """After one more bar, and what a unit of each symbol pays that is found to be delisted.

        Args:
            timestamp: Of the bar.
            closes: Close of each target symbol that has it.
        """
        limit = pd.Timedelta(days=self.rules.delisting.after_days)
        listings, settled = {}, {}
        for symbol, before in self.listings.items():
            if symbol in closes:
                listings[symbol] = Listing(before.bars + 1, timestamp, closes[symbol], True)
            elif before.is_listed and before.newest and timestamp - before.newest > limit:
                paid = self.rules.delisting.return_of(symbol)
                settled[symbol] = settlement_price(before.mark, paid)
                listings[symbol] = replace(before, mark=settled[symbol], is_listed=False)
            else:
                listings[symbol] = before
        following = PanelState(self.rules, listings, frozenset(closes), timestamp)
        return following, settled

    @property
    def marks(self) -> list[float]:
        """What a unit of each target symbol is worth, in their order."""
        return [self.listings[symbol].mark for symbol in self.rules.symbols]

    @property
    def absences(self) -> Absences:
        """Of the newest bar, one row, as `PanelRows.absences`."""
        rules, stamps = self.rules, pd.DatetimeIndex([self.newest])
        count = len(rules.symbols)
        present = np.array([[symbol in self.present for symbol in rules.symbols]])
        listed = np.array([[self.listings[symbol].is_listed for symbol in rules.symbols]])
        enough = np.array(
            [[self.listings[symbol].bars >= rules.bars_needed for symbol in rules.symbols]]
        )
        members = (
            np.ones((1, count), dtype=np.bool_)
            if rules.membership is None
            else rules.membership.at(stamps, rules.interval, rules.symbols)
        )
        return Absences(~(present & enough & members), listed & members & ~present)


@dataclass(frozen=True, eq=False)
class PanelRecentRows:
    """The newest rows of each symbol, which are of its own bars; no call changes them.

    Attributes:
        own: Target symbol -> its rows.
        columns: Target symbol -> its columns in a row of all symbols.
    """

    own: Mapping[str, RecentRows]
    columns: Mapping[str, slice]

    def extend(self, streamed: StreamedFeatures, market: Market) -> PanelRecentRows:
        """The rows after the bars of a history."""
        extended = {}
        for symbol, rows in self.own.items():
            present = market.present[symbol].to_numpy()
            features = streamed.features.of_symbol(symbol)
            own = replace(
                features,
                timestamps=features.timestamps[present],
                values=features.values[present],
            )
            closes = market.wide("close", [symbol]).to_numpy()[present]
            extended[symbol] = rows.extend(replace(streamed, features=own), closes)
        return PanelRecentRows(extended, self.columns)

    def append(self, row: StreamedRow, closes: Mapping[str, float]) -> PanelRecentRows:
        """The rows after one more bar of the symbols that have it."""
        appended = {
            symbol: rows.append(
                replace(row, values=row.values[self.columns[symbol]]), [closes[symbol]]
            )
            if symbol in closes
            else rows
            for symbol, rows in self.own.items()
        }
        return PanelRecentRows(appended, self.columns)

    def select(self, model: FittedModel, symbol: str) -> tuple[FeatureRows, IntVector]:
        """What a model needs to forecast the newest row of its symbol."""
        return self.own[symbol].select(model, symbol)
