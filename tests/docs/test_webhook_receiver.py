"""The receiver of how-to/webhook-receiver.md takes what a sink sends, once, and nothing else."""

from __future__ import annotations

import time
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pydantic import SecretStr

from engine.live.sinks.message import to_json_line
from engine.live.sinks.signature import SIGNATURE_HEADER, sign
from engine.live.sinks.sink import DeliveryError
from engine.live.sinks.web_address import parse_web_address
from engine.live.sinks.webhook import WebhookSink
from tests.docs.blocks import ROOT, blocks
from tests.live.sinks.journals import MARKER, make_message

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE = make_message()
BODY = to_json_line(MESSAGE).encode()


@contextmanager
def running_receiver() -> Iterator[tuple[int, dict[str, Any]]]:
    """Port of the receiver, and the messages that it has taken."""
    (code,) = blocks(ROOT / "docs" / "how-to" / "webhook-receiver.md", "python")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the page's own code
    receiver = type(
        "Quiet", (names["Receiver"],), {"key": MARKER.encode(), "log_message": lambda *_: None}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), receiver) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1], receiver.messages
        finally:
            server.shutdown()
            thread.join()


def send(port: int, key: str, now: pd.Timestamp) -> None:
    address = parse_web_address(f"http://127.0.0.1:{port}/hook")
    WebhookSink(address, SecretStr(key), 10.0).send(MESSAGE, now)


def post(port: int, body: bytes, signature: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/hook", body, {SIGNATURE_HEADER: signature})
    status = connection.getresponse().status
    connection.close()
    return status


def test_what_a_sink_sends_is_taken_once() -> None:
    now = pd.Timestamp.now("UTC")
    with running_receiver() as (port, messages):
        send(port, MARKER, now)
        send(port, MARKER, now)
    assert list(messages) == [MESSAGE.key]
    assert messages[MESSAGE.key]["account"] == "demo"


def test_another_key_and_an_old_request_are_refused() -> None:
    now = pd.Timestamp.now("UTC")
    with running_receiver() as (port, messages):
        for key, at in ((MARKER[::-1], now), (MARKER, now - pd.Timedelta(minutes=10))):
            with pytest.raises(DeliveryError, match="HTTP 401"):
                send(port, key, at)
    assert messages == {}


def test_a_request_that_was_changed_is_refused() -> None:
    now = int(time.time())
    signature = sign(BODY, MARKER.encode(), now)
    later = signature.replace(f"t={now}", f"t={now + 1}")
    with running_receiver() as (port, messages):
        assert post(port, BODY.replace(b"demo", b"omed"), signature) == 401
        for wrong in (later, "", "t=1", "v1=", "t=x,v1=ü", signature[:-1]):
            assert post(port, BODY, wrong) == 401
        assert messages == {}
        assert post(port, BODY, signature) == 204
