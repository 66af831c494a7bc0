"""A signed POST request for each message.

It uses http.client of the standard library, because that does one thing: it sends the request to
the address and reads the answer. requests and urllib3 follow redirects, read `.netrc` and proxies
from the environment, write the path of an address to their log, and bound each read of an answer
but not all of them together; here a timer closes the socket.
"""

from __future__ import annotations

import ssl
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from importlib import metadata
from socket import SHUT_RDWR, create_connection, socket
from threading import Timer
from typing import TYPE_CHECKING

from engine.live.sinks.message import to_json_line
from engine.live.sinks.signature import SIGNATURE_HEADER, sign
from engine.live.sinks.sink import DeliveryError
from engine.live.sinks.web_address import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from pydantic import SecretStr

    from engine.live.sinks.message import SinkMessage
    from engine.live.sinks.web_address import WebAddress

MAX_ANSWER_BYTES = 65_536
"""Read of an answer, so that its sender is not cut off; nothing of it is used or kept."""

MAX_RETRY_AFTER_S = 3_600.0

_PACKAGE = "backtest-engine"
_TEMPORARY = {408, 429}


@dataclass(frozen=True)
class WebhookSink:
    """Sends each message as JSON, signed, with its key as `Idempotency-Key`.

    Attributes:
        address: Where to.
        secret: Key of the signature.
        timeout_s: Seconds from the connection to the end of the answer.
    """

    address: WebAddress
    secret: SecretStr
    timeout_s: float
    _tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def send(self, message: SinkMessage, now: pd.Timestamp) -> None:
        """See `Sink`; a status of 2xx says that the message was taken."""
        body = to_json_line(message).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"{_PACKAGE}/{metadata.version(_PACKAGE)}",
            "Idempotency-Key": message.key,
            SIGNATURE_HEADER: sign(
                body, self.secret.get_secret_value().encode(), int(now.timestamp())
            ),
            "Connection": "close",
        }
        try:
            status, retry_after = self._post(body, headers)
        except ssl.SSLCertVerificationError as error:
            reason = f"the certificate is not accepted: {error.verify_message}"
            raise DeliveryError(reason) from None
        except (OSError, HTTPException, ValueError) as error:
            # Their texts may have parts of the address or of the answer.
            raise DeliveryError(f"no answer ({type(error).__name__})") from None
        if not 200 <= status < 300:
            raise _refusal(status, _parse_retry_after(retry_after, now))

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str | None]:
        """Status of the answer and its `Retry-After`."""
        connection = HTTPConnection(self.address.host, self.address.port)
        with closing(connection), self._connect() as connected:
            connection.sock = connected
            connection.request("POST", self.address.target, body, headers)
            with closing(connection.getresponse()) as response:
                _read_quietly(response)
                return response.status, response.getheader("Retry-After")

    @contextmanager
    def _connect(self) -> Iterator[socket]:
        """A connection that is cut when the time is over, whatever the other side sends."""
        with create_connection(
            (self.address.host, self.address.port), timeout=self.timeout_s
        ) as plain:
            if self.address.scheme == "http":
                if not is_loopback(plain.getpeername()[0]):
                    raise ConnectionRefusedError("the name is not one of this machine")
                with _deadline(plain, self.timeout_s):
                    yield plain
                return
            with (
                self._tls.wrap_socket(
                    plain, server_hostname=self.address.host, do_handshake_on_connect=False
                ) as encrypted,
                _deadline(encrypted, self.timeout_s),
            ):
                encrypted.do_handshake()
                yield encrypted


@contextmanager
def _deadline(connected: socket, seconds: float) -> Iterator[None]:
    timer = Timer(seconds, _cut, [connected])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connected: socket) -> None:
    with suppress(OSError):
        # That of the class for TLS changes the object, which another thread is reading from.
        socket.shutdown(connected, SHUT_RDWR)


def _read_quietly(response: HTTPResponse) -> None:
    """Reads an answer, whose status is known already, as far as it comes."""
    with suppress(OSError, HTTPException, ValueError):
        response.read(MAX_ANSWER_BYTES)


def _refusal(status: int, retry_after_s: float | None) -> DeliveryError:
    if 300 <= status < 400:
        return DeliveryError(f"HTTP {status}: a redirect is not followed", permanent=True)
    temporary = status in _TEMPORARY or status >= 500
    return DeliveryError(
        f"HTTP {status}",
        permanent=not temporary,
        retry_after_s=retry_after_s if temporary else None,
    )


def _parse_retry_after(text: str | None, now: pd.Timestamp) -> float | None:
    """Seconds of the header `Retry-After`: a number or a date (RFC 9110, 10.2.3)."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        seconds = (parsedate_to_datetime(text) - now.to_pydatetime()).total_seconds()
    except (TypeError, ValueError, OverflowError):  # no date, or one without a time zone
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
