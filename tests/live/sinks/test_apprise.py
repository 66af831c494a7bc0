"""Channels of apprise: tested with its own channel that posts JSON to a server."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pydantic import SecretStr

from engine.core.errors import UsageError
from engine.live.sinks import apprise_channel
from engine.live.sinks.apprise_channel import AppriseSink
from engine.live.sinks.sink import DeliveryError
from tests.live.sinks.journals import MARKER, make_message
from tests.servers.receiver import receive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.receiver import Receiver

# apprise imports it on the versions of Python that still have it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

NOW = pd.Timestamp("2026-02-01", tz="UTC")
MESSAGE = make_message(text="SP500: buy.\nNo order is sent to a market. :smile: <b>")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as running:
        yield running


def make_sink(address: str, timeout_s: float = 10.0) -> AppriseSink:
    return AppriseSink(SecretStr(address), timeout_s, "the sink people")


def address_of(receiver: Receiver) -> str:
    return f"json://user:{MARKER}@127.0.0.1:{receiver.port}/{MARKER}"


def test_a_channel_has_the_text_as_it_is_in_one_line(receiver) -> None:
    make_sink(address_of(receiver)).send(MESSAGE, NOW)
    (request,) = receiver.requests
    sent = json.loads(request.body)
    assert sent["title"] == "demo: decision"
    assert sent["message"] == MESSAGE.text.replace("\n", "\\n")


@pytest.mark.parametrize("status", [302, 400, 429, 500])
def test_a_refusal_has_the_status(receiver, status) -> None:
    with receive() as other:
        head = f"HTTP/1.1 {status} R\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n"
        receiver.behaviours.append(head.encode())
        with pytest.raises(DeliveryError, match=f"^HTTP {status}$") as caught:
            make_sink(address_of(receiver)).send(MESSAGE, NOW)
    assert not caught.value.permanent
    assert other.requests == []


def test_no_answer_is_a_failed_attempt(receiver) -> None:
    receiver.behaviours.append("close")
    with pytest.raises(DeliveryError, match="the channel failed"):
        make_sink(address_of(receiver)).send(MESSAGE, NOW)


def test_a_channel_that_hangs_is_left(receiver) -> None:
    receiver.behaviours.append("hang")
    sink = make_sink(address_of(receiver), timeout_s=0.2)
    with pytest.raises(DeliveryError, match=r"no answer in 0\.2 s"):
        sink.send(MESSAGE, NOW)
    with pytest.raises(DeliveryError, match="an earlier message"):
        sink.send(MESSAGE, NOW)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"nothing://{MARKER}", "another text"),
        (f"{MARKER}", "another text"),
        (f"tgram://{MARKER}", "another text"),
        (f"jsons://user:{MARKER}@127.0.0.1/?verify=no", "verify=no"),
        (f"jsons://user:{MARKER}@127.0.0.1/?redirect=yes", "redirect=yes"),
    ],
)
def test_an_address_that_is_none_or_unsafe_is_refused_and_not_shown(address, found, capfd) -> None:
    with pytest.raises(UsageError) as caught:
        make_sink(address)
    assert caught.value.found.startswith(found)
    shown = capfd.readouterr()
    assert MARKER not in f"{caught.value}{caught.value.__dict__}{shown.out}{shown.err}"


def test_the_log_has_nothing_of_an_address_at_any_level(receiver, caplog, capfd) -> None:
    caplog.set_level(logging.NOTSET)
    for behaviour in (b"HTTP/1.1 500 R\r\n\r\n", "close", b"HTTP/1.1 200 R\r\n\r\n"):
        receiver.behaviours.append(behaviour)
        with suppress(DeliveryError):
            make_sink(address_of(receiver)).send(MESSAGE, NOW)
    assert len(receiver.requests) == 3
    shown = capfd.readouterr()
    assert MARKER not in f"{caplog.text}{shown.out}{shown.err}"
    logging.getLogger("apprise").warning("of somebody else")
    assert "of somebody else" in caplog.text


def test_a_missing_package_is_told_with_the_fix(monkeypatch) -> None:
    monkeypatch.setattr(apprise_channel, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"backtest-engine\[notify\]"):
        make_sink("json://127.0.0.1/")
