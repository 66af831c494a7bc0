"""How the sinks of an account stand."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from engine.live.sinks.opening import describe_sink
from engine.live.sinks.outbox import Outbox
from engine.runs.documents.base import DocumentPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from engine.live.sinks.config import SinkSpec


class SinkState(DocumentPart):
    """How one sink of an account stands.

    Attributes:
        name: Its name.
        kind: `stdout`, `file`, `webhook` or `apprise`.
        target: Where it sends to, without what may be secret.
        delivered_at: When it took a message last; None before the first.
        failing: Why the message that is to be sent next was not taken; empty where it was not
            tried, and where none is to be sent.
        dead_letters: Messages that were given up and not delivered since.
    """

    name: str
    kind: str
    target: str
    delivered_at: str | None
    failing: str
    dead_letters: int


def read_sink_states(path: Path, account: str, specs: Iterable[SinkSpec]) -> Iterator[SinkState]:
    """How each sink stands.

    Args:
        path: The journal.
        account: Name of the account.
        specs: Its sinks.

    Raises:
        JournalError: The journal cannot be read.
    """
    for spec in specs:
        with closing(Outbox(path, account, spec.name, spec.events, read_only=True)) as outbox:
            delivered_at = outbox.delivered_at()
            yield SinkState(
                name=spec.name,
                kind=spec.kind,
                target=describe_sink(spec),
                delivered_at=None if delivered_at is None else delivered_at.isoformat(),
                failing=outbox.failing(),
                dead_letters=outbox.count_dead(),
            )
