"""Settings of the network clients: time-outs, pauses and servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ClientSettings:
    """Settings of the network clients.

    Attributes:
        timeout_s: Longest wait for one response, in seconds.
        retry_pauses_s: Pauses before each retry of a request that may succeed later, in seconds.
        jitter: Largest share of a pause that is added at random, so that clients which were
            refused together do not retry together.
        batch_pause_s: Pause between two batches of symbols, in seconds.
        yahoo_url: A server to use instead of Yahoo's, such as a local one in tests.
        exchange_options: Settings of a ccxt exchange that replace its own: `{"urls": {"api":
            ...}}`.
    """

    timeout_s: float = 10.0
    retry_pauses_s: tuple[float, ...] = (1.0, 3.0, 9.0)
    jitter: float = 0.5
    batch_pause_s: float = 2.0
    yahoo_url: str | None = None
    exchange_options: Mapping[str, Any] = field(default_factory=dict)
