"""The messages of a paper account: what its sinks receive."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias

from engine.runs.documents.base import Document, DocumentPart

NO_ORDERS_SENT = "No order is sent to a market."


class SymbolOfMessage(DocumentPart):
    """One symbol at the bar that was decided on.

    Attributes:
        symbol: Its name.
        predicted: Forecast of the return over the horizon, a fraction; None without a fit.
        target_weight: Share of the equity to hold; negative is short.
        held_weight: Share of the equity that the account holds at the close.
    """

    symbol: str
    predicted: float | None
    target_weight: float
    held_weight: float


class OrderOfMessage(DocumentPart):
    """An order that the decision places in the account.

    Attributes:
        symbol: What is traded.
        target_weight: Share of the equity to hold after it.
        held_weight: Share held at the close.
        due: Bar at which it is filled, by the calendar; None where that does not say.
        due_in_bars: 1 is the bar after the one that was decided on.
        price: Price of that bar: `open` or `close`.
        status: `placed` in time; `deferred` to a later bar, or `missed` and never filled, because
            its price had passed when it was decided.
    """

    symbol: str
    target_weight: float
    held_weight: float
    due: str | None
    due_in_bars: int
    price: str
    status: str


class DecisionMessage(Document):
    """A decision of a paper account. Times are ISO 8601, UTC.

    Attributes:
        kind: `decision`.
        key: Unique for each message, and the same where a message comes again.
        account: Name of the account.
        strategy: Name of its strategy.
        bar: The bar that was decided on.
        decided_at: When.
        late: Whether that was later than the end of the bar and the grace time.
        symbols: Each symbol.
        orders: The orders that the decision places; none where nothing changes.
        equity: Of the account at the close, in the currency of the bars.
        text: The same for people.
        sent_to_market: Always false: the account is on paper.
    """

    kind: Literal["decision"] = "decision"
    key: str
    account: str
    strategy: str
    bar: str
    decided_at: str
    late: bool
    symbols: tuple[SymbolOfMessage, ...]
    orders: tuple[OrderOfMessage, ...]
    equity: float
    text: str
    sent_to_market: Literal[False] = False


class AlertMessage(Document):
    """An event of a paper account that a person has to know. Times are ISO 8601, UTC.

    Attributes:
        kind: `alert`.
        key: Unique for each message, and the same where a message comes again.
        account: Name of the account.
        strategy: Name of its strategy.
        event: What happened: `missed`, `revision`, `difference`, `error` and others.
        bar: The bar that it is about, where it is about one.
        at: When.
        detail: What more is known.
        text: The same for people.
        sent_to_market: Always false: the account is on paper.
    """

    kind: Literal["alert"] = "alert"
    key: str
    account: str
    strategy: str
    event: str
    bar: str | None
    at: str
    detail: dict[str, Any]
    text: str
    sent_to_market: Literal[False] = False


SinkMessage: TypeAlias = DecisionMessage | AlertMessage


def to_json_line(message: SinkMessage) -> str:
    """The message as one line of JSON in ASCII, without a line break at its end.

    The keys are sorted, so that every line begins with the account, and defaults are written.
    """
    document = message.model_dump(mode="json")
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
