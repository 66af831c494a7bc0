"""Writes the messages of an account from the rows of its journal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from engine.core.errors import JournalError
from engine.data.config import Dataset
from engine.live.bar_schedule import BarSchedule
from engine.live.dataset_schedule import schedule_of_dataset
from engine.live.event_text import describe_event
from engine.live.journal.rows import format_instant
from engine.live.sinks.message import (
    NO_ORDERS_SENT,
    AlertMessage,
    DecisionMessage,
    OrderOfMessage,
    SymbolOfMessage,
)
from engine.signals.orders import Order
from engine.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.live.journal.rows import AccountRow
    from engine.live.row_schedule import Schedule

ALERT_KINDS = (
    *("missed", "absent", "silent", "revision", "difference", "clock", "error"),
    *("incomplete", "unused", "optimum"),
)
"""Kinds of events that a person has to know; see `EVENT_KINDS`."""

_MAX_SHOWN_SYMBOLS = 10
_MAX_SHOWN_CHARACTERS = 500


class Composer:
    """Writes the messages of one account.

    Args:
        account: The account.
    """

    def __init__(self, account: AccountRow) -> None:
        self._account = account
        dataset = Dataset.model_validate(json.loads(account.manifest)["dataset"])
        self._times: Schedule = BarSchedule(account.interval, account.calendar, dataset.day_begin)
        if dataset.has_own_clocks:
            spec = Strategy.model_validate_json(account.specification)
            self._times = schedule_of_dataset(dataset, spec)
        self._price: Literal["open", "close"] = json.loads(account.specification)["execution"][
            "price"
        ]

    def decision(
        self,
        decision: Mapping[str, Any],
        orders: Sequence[Mapping[str, Any]],
        equity: Mapping[str, Any],
    ) -> DecisionMessage:
        """The message of one decision; the same for the same rows.

        Args:
            decision: Fields of `DecisionRow`.
            orders: Fields of `OrderRow`.
            equity: Fields of `EquityRow`.
        """
        held = {symbol: each["weight"] for symbol, each in equity["holdings"].items()}
        placed = tuple(self._orders(decision["bar"], orders, held))
        symbols = tuple(
            SymbolOfMessage(
                symbol=symbol,
                predicted=decision["row"]["predicted"].get(symbol),
                target_weight=target,
                held_weight=held.get(symbol, 0.0),
            )
            for symbol, target in decision["targets"].items()
        )
        bar, money = format_instant(decision["bar"]), equity["equity"] * self._account.capital
        return DecisionMessage(
            key=f"{self._account.name}/{bar}/decision",
            account=self._account.name,
            strategy=self._account.strategy,
            bar=bar,
            decided_at=format_instant(decision["decided_at"]),
            late=decision["late"],
            symbols=symbols,
            orders=placed,
            equity=money,
            text=" ".join(self._sentences(decision, symbols, placed, money)),
        )

    def alert(self, event: Mapping[str, Any]) -> AlertMessage:
        """The message of one event; the same for the same row.

        Args:
            event: Fields of `EventRow`.
        """
        name, kind = self._account.name, event["kind"]
        bar = None if event["bar"] is None else format_instant(event["bar"])
        about = "" if event["bar"] is None else f", bar {self._label(event['bar'])}"
        happened = _describe(kind, event["detail"])
        return AlertMessage(
            key=f"{name}/{bar or '-'}/{kind}/{event['number']}",
            account=name,
            strategy=self._account.strategy,
            event=kind,
            bar=bar,
            at=format_instant(event["at"]),
            detail=dict(event["detail"]),
            text=f"Paper account {name}, {kind}{about}: {happened}. {NO_ORDERS_SENT}",
        )

    def _orders(
        self, bar: pd.Timestamp, orders: Sequence[Mapping[str, Any]], held: Mapping[str, float]
    ) -> Iterator[OrderOfMessage]:
        if not orders:
            return
        for order in orders:
            decided = Order(
                symbol=order["symbol"],
                target_weight=order["target_weight"],
                decided_on=bar,
                due_in_bars=order["due_in_bars"],
                not_before=order.get("not_before"),
            )
            ahead, due = self._times.due_row(bar, decided, self._price)
            yield OrderOfMessage(
                symbol=order["symbol"],
                target_weight=order["target_weight"],
                held_weight=held.get(order["symbol"], 0.0),
                due=None if due is None else format_instant(due),
                due_in_bars=ahead,
                price=self._price,
                status=order["status"],
            )

    def _label(self, bar: pd.Timestamp) -> str:
        is_midnight = bar == bar.normalize()
        return f"{bar:%Y-%m-%d}" if is_midnight else f"{bar:%Y-%m-%d %H:%M} UTC"

    def _sentences(
        self,
        decision: Mapping[str, Any],
        symbols: Sequence[SymbolOfMessage],
        orders: Sequence[OrderOfMessage],
        money: float,
    ) -> Iterator[str]:
        late = ", late" if decision["late"] else ""
        yield (
            f"Paper account {self._account.name}, {self._account.strategy}: decided on the bar "
            f"{self._label(decision['bar'])}{late}."
        )
        if not orders:
            yield "Nothing changes."
        predicted = {each.symbol: each.predicted for each in symbols}
        for order in orders[:_MAX_SHOWN_SYMBOLS]:
            yield self._order_sentence(order, predicted.get(order.symbol))
        if len(orders) > _MAX_SHOWN_SYMBOLS:
            yield f"And {len(orders) - _MAX_SHOWN_SYMBOLS} more orders."
        yield f"Equity {money:,.2f}."
        yield NO_ORDERS_SENT

    def _order_sentence(self, order: OrderOfMessage, predicted: float | None) -> str:
        held, target = order.held_weight, order.target_weight
        action = "buy" if target > held else "sell" if target < held else "stay"
        due = (
            f"{order.due_in_bars} bars later"
            if order.due is None
            else f"of {self._label(pd.Timestamp(order.due))}"
        )
        status = {"deferred": " (deferred)", "missed": " (missed: not filled)"}
        forecast = "" if predicted is None else f", forecast {_percent(predicted, '+.2f')}"
        return (
            f"{order.symbol}: {action}, from {_percent(held)} to {_percent(target)} of the "
            f"equity, at the {order.price} {due}{status.get(order.status, '')}{forecast}."
        )


def _percent(fraction: float, form: str = ".1f") -> str:
    return f"{100 * fraction:{form}} %"


def _describe(kind: str, detail: Mapping[str, Any]) -> str:
    """What happened, as a sentence of bounded length."""
    try:
        text = describe_event(kind, detail)
    except JournalError:  # of another version of the engine
        text = json.dumps(detail, ensure_ascii=False)
    if len(text) > _MAX_SHOWN_CHARACTERS:
        return f"{text[:_MAX_SHOWN_CHARACTERS]}..."
    return text
