"""Sends messages of a paper account again: dead letters, or all that its sinks were told."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import UsageError
from engine.core.home import backtest_home
from engine.live.journal.file import journal_path
from engine.live.journal.reader import JournalReader, no_account_error
from engine.live.paper.stored_documents import settings_of
from engine.live.sinks.deliver import send_once
from engine.live.sinks.opening import open_sink
from engine.live.sinks.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from engine.live.clock import Clock
    from engine.live.sinks.config import SinkSpec
    from engine.live.sinks.outbox import Pending

MAX_FAILURES_IN_A_ROW = 3
"""Messages that a sink does not take, after which the rest is not tried."""


@dataclass(frozen=True)
class Resent:
    """What came of one message.

    Attributes:
        sink: Name of the sink.
        kind: Its kind.
        key: Key of the message.
        text: Its text.
        outcome: `delivered`, `dead` (not taken), `skipped` (not tried after failures), `listed`
            (a dry run).
        reason: Why it was not taken.
    """

    sink: str
    kind: str
    key: str
    text: str
    outcome: str
    reason: str = ""


def resend_messages(
    account: str,
    *,
    clock: Clock,
    sink: str | None = None,
    every: bool = False,
    dry_run: bool = False,
    home: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Resent, ...]:
    """Sends messages of an account again, once each, with the keys that they had.

    Args:
        account: Name of the account.
        clock: The time.
        sink: Name of one sink; None for every sink of the account.
        every: Every message up to the newest that was sent or given up, instead of dead letters.
        dry_run: Send nothing, and open no sink.
        home: Folder of the journal.
        environment: Environment variables; those of the process by default.

    Raises:
        UsageError: There is no such account or sink, or a sink cannot be opened.
        JournalError: The journal cannot be used.
        StorageError: The file of a sink cannot be written.
    """
    path = journal_path(backtest_home(home))
    if not path.exists():
        raise no_account_error(path, account)
    with JournalReader(path) as reader:
        specs = settings_of(reader.account(account)).sinks
    variables = os.environ if environment is None else environment
    resent: list[Resent] = []
    for spec in _choose(specs, sink):
        with closing(Outbox(path, account, spec.name, spec.events, read_only=dry_run)) as outbox:
            messages = tuple(outbox.settled()) if every else outbox.dead()
            if dry_run or not messages:
                resent += [_row(spec, each, "listed") for each in messages]
            else:
                resent += _send_all(spec, outbox, messages, clock, variables)
    return tuple(resent)


def _choose(specs: Sequence[SinkSpec], name: str | None) -> Sequence[SinkSpec]:
    chosen = [spec for spec in specs if name in {None, spec.name}]
    if name is not None and not chosen:
        raise UsageError(
            "the account has no sink of that name",
            expected=" or ".join(spec.name for spec in specs) or "an account with sinks",
            found=name,
            where="--sink",
            fix="name one of its sinks, or leave --sink out for all of them",
        )
    return chosen


def _send_all(
    spec: SinkSpec,
    outbox: Outbox,
    messages: Sequence[Pending],
    clock: Clock,
    environment: Mapping[str, str],
) -> Iterator[Resent]:
    sink, rng = open_sink(spec, environment), np.random.default_rng()
    failures = 0
    for pending in messages:
        if failures == MAX_FAILURES_IN_A_ROW:
            yield _row(spec, pending, "skipped")
            continue
        before = outbox.last_attempt(pending.message.key)
        number = 1 if before is None else before.number + 1
        attempt = send_once(sink, pending, number, number, clock, rng)
        outbox.record(pending, attempt)
        failures = 0 if attempt.outcome == "delivered" else failures + 1
        yield _row(spec, pending, attempt.outcome, attempt.reason)


def _row(spec: SinkSpec, pending: Pending, outcome: str, reason: str = "") -> Resent:
    return Resent(spec.name, spec.kind, pending.message.key, pending.message.text, outcome, reason)
