"""A channel of the package apprise: Telegram, Slack, e-mail and some hundred others."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING

from typing_extensions import override

from engine.core.control_characters import escape_line
from engine.core.errors import UsageError
from engine.live.sinks.sink import DeliveryError, Sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from apprise import Apprise
    from pydantic import SecretStr

    from engine.live.sinks.message import SinkMessage

_LOGGERS = ("apprise", "urllib3.connectionpool")
"""Their records have addresses with tokens: whole ones at the level DEBUG."""

_STATUS = re.compile(r"error=(\d{3})\b")
_statuses: ContextVar[list[str] | None] = ContextVar("statuses", default=None)


class AppriseSink(Sink):
    """Sends the text of each message to one channel.

    Args:
        address: Address of the channel, in the form of apprise.
        timeout_s: Seconds for a message.
        what: The sink, for messages about its address.

    Raises:
        UsageError: The package is not installed, or the address is none of it, turns the check of
            certificates off or redirects on.
    """

    def __init__(self, address: SecretStr, timeout_s: float, what: str) -> None:
        if find_spec("apprise") is None:
            raise UsageError(
                f"{what} needs the package apprise",
                expected="the extra `notify`",
                found="no such package",
                where=what,
                fix="pip install 'backtest-engine[notify]'",
            )
        self._timeout_s = timeout_s
        self._sending: Thread | None = None
        with _silence():
            self._apprise = _open(address, what)

    @override
    def send(self, message: SinkMessage, now: pd.Timestamp) -> None:
        """See `Sink`; what a channel takes depends on it.

        The request runs in a thread of its own. With a time limit of apprise it would run in a
        pool, whose threads the interpreter waits for at its end, also where one hangs.
        """
        if self._sending is not None and self._sending.is_alive():
            raise DeliveryError("an earlier message is still being sent")
        failures: list[str] = []
        self._sending = Thread(target=self._notify, args=(message, failures), daemon=True)
        self._sending.start()
        self._sending.join(self._timeout_s)
        if self._sending.is_alive():
            raise DeliveryError(f"no answer in {self._timeout_s:g} s")
        if failures:
            raise DeliveryError(failures[0])

    def _notify(self, message: SinkMessage, failures: list[str]) -> None:
        from apprise import NotifyFormat

        with _silence() as statuses:
            try:
                taken = self._apprise.notify(
                    body=escape_line(message.text),
                    title=escape_line(f"{message.account}: {message.kind}"),
                    body_format=NotifyFormat.TEXT,
                )
            except Exception as error:  # noqa: BLE001 - of any channel; its text may have a token
                failures.append(f"the channel failed ({type(error).__name__})")
                return
        if not taken:
            failures.append(f"HTTP {statuses[-1]}" if statuses else "the channel failed")


def _open(address: SecretStr, what: str) -> Apprise:
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="backtest",
        async_mode=False,
        service_timeout=0,
        http_redirects=False,
        interpret_emojis=False,
        image_path_mask=False,
    )
    channel = Apprise.instantiate(address.get_secret_value(), asset=asset)
    if channel is None:
        expected, found = "an address of apprise, such as tgram://...", "another text"
    elif not channel.verify_certificate:
        expected, found = "an address that leaves the check of certificates on", "verify=no"
    elif channel.redirects:
        expected, found = "an address that leaves redirects off", "redirect=yes"
    else:
        opened = Apprise(asset=asset)
        opened.add(channel)
        return opened
    raise UsageError(
        f"the address of {what} is not usable",
        expected=expected,
        found=f"{found} (it is not shown, because it holds secrets)",
        where=what,
        fix="see https://github.com/caronc/apprise/wiki for the form of each channel",
    )


@contextmanager
def _silence() -> Iterator[list[str]]:
    """Keeps the log of apprise from everyone; gives the HTTP statuses in it."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_keep_statuses)  # once, however often it is added
    statuses: list[str] = []
    token = _statuses.set(statuses)  # apprise passes it on to its threads
    try:
        yield statuses
    finally:
        _statuses.reset(token)


def _keep_statuses(record: logging.LogRecord) -> bool:
    statuses = _statuses.get()
    if statuses is None:  # a message of somebody else
        return True
    statuses += _STATUS.findall(record.getMessage())
    return False
