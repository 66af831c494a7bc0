"""A message is taken where the receiver says so in time; else its answer says what follows."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pydantic import SecretStr

from engine.live.sinks.message import to_json_line
from engine.live.sinks.sink import DeliveryError
from engine.live.sinks.web_address import parse_web_address
from engine.live.sinks.webhook import WebhookSink
from tests.live.sinks.journals import MARKER, make_message
from tests.servers.receiver import receive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.receiver import Receiver

NOW = pd.Timestamp("2026-02-01T12:00:00", tz="UTC")
MESSAGE = make_message()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as running:
        yield running


def make_sink(url: str, timeout_s: float = 10.0) -> WebhookSink:
    return WebhookSink(parse_web_address(url), SecretStr(MARKER), timeout_s)


def answer(status: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Reason", *headers, "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


def failure_of(receiver: Receiver, timeout_s: float = 10.0) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        make_sink(receiver.url, timeout_s).send(MESSAGE, NOW)
    return caught.value


def test_the_request_has_the_message_its_key_and_a_signature_of_time_and_body(receiver) -> None:
    make_sink(receiver.url).send(MESSAGE, NOW)
    (request,) = receiver.requests
    assert request.body.decode() == to_json_line(MESSAGE)
    assert json.loads(request.body)["sent_to_market"] is False
    assert request.headers["idempotency-key"] == MESSAGE.key
    assert request.headers["content-type"] == "application/json"
    time, signature = request.headers["backtest-signature"].split(",")
    signed = time.removeprefix("t=").encode() + b"." + request.body
    expected = hmac.new(MARKER.encode(), signed, hashlib.sha256).hexdigest()
    assert (time, signature) == (f"t={int(NOW.timestamp())}", f"v1={expected}")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_status_of_success_takes_the_message(receiver, status) -> None:
    receiver.behaviours.append(answer(status))
    make_sink(receiver.url).send(MESSAGE, NOW)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 599])
def test_these_are_tried_again(receiver, status) -> None:
    receiver.behaviours.append(answer(status))
    failure = failure_of(receiver)
    assert (failure.reason, failure.permanent) == (f"HTTP {status}", False)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_a_refusal_of_the_message_is_not_tried_again(receiver, status) -> None:
    receiver.behaviours.append(answer(status, "Retry-After: 5"))
    failure = failure_of(receiver)
    assert (failure.permanent, failure.retry_after_s) == (True, None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver, status) -> None:
    with receive() as other:
        receiver.behaviours.append(answer(status, f"Location: {other.url}"))
        assert failure_of(receiver).permanent
    assert other.requests == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("86400", 3600.0),
        ("Sun, 01 Feb 2026 12:00:40 GMT", 40.0),
        ("Sun, 01 Feb 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("1e9", None),
        ("9" * 400, None),
        ("soon", None),
        ("Sun, 99 Feb 2026 12:00:40 GMT", None),
        ("Sun, 01 Feb 2026 12:00:40", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date_of_at_most_an_hour(receiver, text, seconds) -> None:
    receiver.behaviours.append(answer(429, f"Retry-After: {text}"))
    assert failure_of(receiver).retry_after_s == seconds


@pytest.mark.parametrize(
    "behaviour",
    [
        "close",
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 70_000,
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_no_answer_that_can_be_read_is_tried_again(receiver, behaviour) -> None:
    receiver.behaviours.append(behaviour)
    failure = failure_of(receiver)
    assert failure.reason.startswith("no answer")
    assert not failure.permanent


@pytest.mark.parametrize("behaviour", ["hang", "drip"])
def test_an_answer_that_does_not_end_is_cut_off(receiver, behaviour) -> None:
    receiver.behaviours.append(behaviour)
    assert failure_of(receiver, timeout_s=0.2).reason.startswith("no answer")


@pytest.mark.parametrize("behaviour", ["drip headers", "drip body"])
def test_a_status_counts_also_where_the_rest_does_not_end(receiver, behaviour) -> None:
    receiver.behaviours.append(behaviour)
    make_sink(receiver.url, timeout_s=0.2).send(MESSAGE, NOW)


def test_nothing_listens() -> None:
    with receive() as gone:
        pass
    assert failure_of(gone).reason == "no answer (ConnectionRefusedError)"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    key, chain = str(folder / "key.pem"), str(folder / "chain.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", chain),
            *("-days", "2", "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return chain, key


@pytest.fixture
def tls_receiver(certificate) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with receive(context) as running:
        yield running


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_receiver) -> None:
    failure = failure_of(tls_receiver)
    assert "certificate" in failure.reason
    assert tls_receiver.requests == []


def test_a_trusted_certificate_is_of_its_host_alone(
    tls_receiver, certificate, monkeypatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    make_sink(tls_receiver.url).send(MESSAGE, NOW)
    assert tls_receiver.keys == [MESSAGE.key]
    other_name = tls_receiver.url.replace("127.0.0.1", "localhost")
    with pytest.raises(DeliveryError, match="certificate"):
        make_sink(other_name).send(MESSAGE, NOW)


def test_a_server_that_hangs_in_the_handshake_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DeliveryError, match="no answer"):
            make_sink(url, timeout_s=0.2).send(MESSAGE, NOW)
