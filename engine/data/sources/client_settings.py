"""How the network clients behave, and where they connect; tests point them at a local server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ClientSettings:
    """Settings of the network clients.

    Attributes:
        timeout_s: Longest wait for one answer.
        retry_pauses_s: Waits before each further try of an answer that may come when asked again.
        jitter: Share of a pause by which chance lengthens it at most, so that clients that were
            sent away together do not come back together.
        batch_pause_s: Wait between two batches of symbols.
        yahoo_url: A server to ask instead of Yahoo's.
        exchange_options: Settings of a ccxt exchange, merged over its own: `{"urls": {"api":
            ...}}`.
    """

    timeout_s: float = 10.0
    retry_pauses_s: tuple[float, ...] = (1.0, 3.0, 9.0)
    jitter: float = 0.5
    batch_pause_s: float = 2.0
    yahoo_url: str | None = None
    exchange_options: Mapping[str, Any] = field(default_factory=dict)
