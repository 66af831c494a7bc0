"""What a sink is: it sends one message, or says why it could not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from engine.live.sinks.message import SinkMessage


class Sink(Protocol):
    """Takes the messages of one account, in order, from one thread at a time."""

    def send(self, message: SinkMessage, now: pd.Timestamp) -> None:
        """Sends a message; returns when it has been taken.

        A message may come again, with the same key, where the engine ended before it had recorded
        that the message was taken.

        Raises:
            DeliveryError: It was not taken.
        """


class DeliveryError(Exception):
    """A message was not taken.

    Args:
        reason: In a few words, without any part of an address or of an answer.
        permanent: Whether the same message would be refused again.
        retry_after_s: Seconds that the receiver asks to wait; None where it does not.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after_s = retry_after_s
