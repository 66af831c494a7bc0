"""The part of `manifest.json` that makes the stored bars a market again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from engine.runs.documents.base import DocumentPart


class ClockRecord(DocumentPart):
    """When the bars of one symbol open and close.

    Attributes:
        interval: Length of a bar.
        calendar: `24/7` or a code of exchange-calendars.
        day_begins: When a day begins, as `17:00 America/New_York`; None where the calendar says.
    """

    interval: str
    calendar: str
    day_begins: str | None = None


class JoinRecord(DocumentPart):
    """How bars of several calendars and currencies were joined; they are in `source_bars.parquet`.

    Attributes:
        clocks: Symbol -> when its bars open and close.
        decided_at: The symbol at whose closes everything is decided; None of a book.
        rates: Symbol in another currency -> the symbol that converted its prices.
        panel: Whether timestamps were kept that not every symbol has.
    """

    clocks: Mapping[str, ClockRecord]
    decided_at: str | None = None
    rates: Mapping[str, str] = {}
    panel: bool = False


class MarketRecord(DocumentPart):
    """What the bars of a run need beside them to be its market again.

    Attributes:
        symbols: In the order of the market.
        day_begins: When a day begins, where the calendar does not say.
        members: Symbol, first and last day (empty: still a member) of each span; None where every
            symbol always belongs to the universe.
        delisting: When a symbol without bars counts as delisted, and what is paid then.
        join: How the bars were joined; None where all symbols have one calendar and currency.
    """

    symbols: tuple[str, ...]
    day_begins: str | None = Field(default=None, exclude_if=lambda begin: begin is None)
    members: tuple[tuple[str, str, str], ...] | None = None
    delisting: Mapping[str, Any] = {}
    join: JoinRecord | None = None
