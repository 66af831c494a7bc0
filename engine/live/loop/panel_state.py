"""What a bar loop keeps of a panel: when symbols are listed, and their newest rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.panel import settlement_price
from engine.features.cross_section import transform_returns
from engine.training.panel_rows import Absences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BoolMatrix, BoolVector, IntVector, Vector
    from engine.data import Market
    from engine.data.membership import Membership
    from engine.data.universe_config import DelistingSpec
    from engine.features.cross_section import TargetTransform
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
        run: Bars without a gap up to the newest of the panel; 0 where it lacks that one.
    """

    bars: int = 0
    newest: pd.Timestamp | None = None
    mark: float = np.nan
    is_listed: bool = False
    run: int = 0


@dataclass(frozen=True)
class PanelRules:
    """What decides whether a symbol of a panel is listed, a member and forecast.

    Attributes:
        symbols: The target symbols.
        interval: Length of a bar.
        bars_needed: Own bars up to the first that is forecast, its own included.
        membership: Who belongs to the universe; None where all always do.
        delisting: When a symbol is delisted, and what is paid.
        unbroken: Bars without a gap up to the first that is forecast, see `PanelRows`.
    """

    symbols: tuple[str, ...]
    interval: str
    bars_needed: int
    membership: Membership | None
    delisting: DelistingSpec
    unbroken: int = 1


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
                int(np.argmin(np.append(present[::-1], False))),
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
                listings[symbol] = Listing(
                    before.bars + 1, timestamp, closes[symbol], True, before.run + 1
                )
            elif before.is_listed and before.newest and timestamp - before.newest > limit:
                paid = self.rules.delisting.return_of(symbol)
                settled[symbol] = settlement_price(before.mark, paid)
                listings[symbol] = replace(before, mark=settled[symbol], is_listed=False, run=0)
            else:
                listings[symbol] = before if not before.run else replace(before, run=0)
        following = PanelState(self.rules, listings, frozenset(closes), timestamp)
        return following, settled

    @property
    def marks(self) -> list[float]:
        """What a unit of each target symbol is worth, in their order."""
        return [self.listings[symbol].mark for symbol in self.rules.symbols]

    @property
    def compared(self) -> BoolVector:
        """(m,) the members that have the newest bar, over which returns are compared."""
        present = [symbol in self.present for symbol in self.rules.symbols]
        compared: BoolVector = np.array(present) & self._members[0]
        return compared

    @property
    def _members(self) -> BoolMatrix:
        """(1, m) whether each symbol belongs to the universe at the newest close."""
        rules, stamps = self.rules, pd.DatetimeIndex([self.newest])
        if rules.membership is None:
            return np.ones((1, len(rules.symbols)), dtype=np.bool_)
        return rules.membership.at(stamps, rules.interval, rules.symbols)

    @property
    def absences(self) -> Absences:
        """Of the newest bar, one row, as `PanelRows.absences`."""
        rules = self.rules
        present = np.array([[symbol in self.present for symbol in rules.symbols]])
        listed = np.array([[self.listings[symbol].is_listed for symbol in rules.symbols]])
        enough = np.array(
            [
                [
                    self.listings[symbol].bars >= rules.bars_needed
                    and self.listings[symbol].run >= rules.unbroken
                    for symbol in rules.symbols
                ]
            ]
        )
        members = self._members
        return Absences(~(present & enough & members), listed & members & ~present)


@dataclass(frozen=True, eq=False)
class PanelRecentRows:
    """The newest rows of each symbol, which are of its own bars; no call changes them.

    Attributes:
        own: Target symbol -> its rows.
        columns: Target symbol -> its columns in a row of all symbols.
        transform: How the trailing returns of the newest bar are related to each other.
        compared: (m,) the symbols whose returns are, at the newest bar.
    """

    own: Mapping[str, RecentRows]
    columns: Mapping[str, slice]
    transform: TargetTransform
    compared: BoolVector

    def extend(
        self, streamed: StreamedFeatures, market: Market, compared: BoolVector
    ) -> PanelRecentRows:
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
        return replace(self, own=extended, compared=compared)

    def append(
        self, row: StreamedRow, closes: Mapping[str, float], compared: BoolVector
    ) -> PanelRecentRows:
        """The rows after one more bar of the symbols that have it."""
        appended = {
            symbol: rows.append(
                replace(row, values=row.values[self.columns[symbol]]), [closes[symbol]]
            )
            if symbol in closes
            else rows
            for symbol, rows in self.own.items()
        }
        return replace(self, own=appended, compared=compared)

    def select(self, model: FittedModel, symbol: str) -> tuple[FeatureRows, IntVector]:
        """What a model needs to forecast the newest row of its symbol.

        Where returns are compared, the trailing return is that of the newest row alone: those of
        the other symbols before it are not of the same bars.
        """
        rows, at = self.own[symbol].select(model, symbol)
        if self.transform == "raw":
            return rows, at
        trailing = np.full(len(rows.trailing), np.nan)
        related = self._related(model.input_transform.horizons[0])
        trailing[-1] = related[list(self.own).index(symbol)]
        return replace(rows, trailing=trailing), at

    def _related(self, horizon: int) -> Vector:
        """(m,) the compared returns over the last own bars of each symbol, at the newest bar."""
        if horizon not in self._newest_returns:
            returns = [rows.newest_return(horizon) for rows in self.own.values()]
            known = np.where(self.compared, returns, np.nan)[None]
            self._newest_returns[horizon] = transform_returns(known, self.transform)[0]
        return self._newest_returns[horizon]

    @cached_property
    def _newest_returns(self) -> dict[int, Vector]:
        """Those of the horizons that were asked for: each symbol asks for the same."""
        return {}
