"""How the network clients behave, and where they connect; tests point them at a local server."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


@dataclass(frozen=True)
class Clients:
    """Settings of the network clients.

    Attributes:
        timeout_s: Longest wait for one answer.
        pauses_s: Waits before each further try of an answer that may come when asked again.
        yahoo_url: A server to ask instead of Yahoo's.
        exchange: Settings of a ccxt exchange, merged over its own: `{"urls": {"api": ...}}`.
    """

    timeout_s: float = 10.0
    pauses_s: tuple[float, ...] = (1.0, 3.0)
    yahoo_url: str | None = None
    exchange: Mapping[str, Any] = field(default_factory=dict)


def persist(call: Callable[[], T], again: Callable[[Exception], bool], clients: Clients) -> T:
    """The answer of `call`, tried once more after each pause while `again(error)` says so."""
    for pause in clients.pauses_s:
        try:
            return call()
        except Exception as error:
            if not again(error):
                raise
        time.sleep(pause)
    return call()
