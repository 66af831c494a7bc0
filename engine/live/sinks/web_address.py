"""Addresses of web servers: which are allowed, and how they are shown."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

MAX_ADDRESS_CHARACTERS = 4_000

_DEFAULT_PORTS = {"https": 443, "http": 80}
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_TOKEN_CHARACTERS = 16


@dataclass(frozen=True)
class WebAddress:
    """An address that was checked; its path and query may hold a token and are not shown.

    Attributes:
        scheme: `https` or `http`.
        host: Name or IP address.
        port: The port.
        target: Path and query, as in the request.
    """

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)

    def __str__(self) -> str:
        """Scheme, host and port; the rest is `...`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{'/' if self.target == '/' else '/...'}"


def parse_web_address(text: str) -> WebAddress:
    """The parts of an address.

    Raises:
        ValueError: It is none, or HTTP is not to this machine; the text is not quoted.
    """
    if len(text) > MAX_ADDRESS_CHARACTERS or not _PRINTABLE.fullmatch(text):
        raise ValueError("expected an address in printable ASCII, without spaces")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("expected an address such as https://example.com/signals") from None
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise ValueError("expected an address such as https://example.com/signals")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "expected an address without user and password; requests are signed instead"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(
            "expected https://, or http:// to this machine (127.0.0.1, ::1, localhost)"
        )
    return WebAddress(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], _target(parts))


def check_plain_address(text: str) -> str:
    """The address, if it may stand in a settings file as text.

    Raises:
        ValueError: It is no address of a webhook, or may hold a token.
    """
    parse_web_address(text)
    parts = urlsplit(text)
    if parts.query or any(map(_may_be_token, parts.path.split("/"))):
        raise ValueError(
            "expected an address without a query or a token; use url_env or url_file for this one"
        )
    return text


def is_loopback(host: str) -> bool:
    """Whether the name or IP address is that of this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _may_be_token(segment: str) -> bool:
    """Whether a part of a path is long, and of mixed characters as a random one is."""
    kinds = (str.isdigit, str.islower, str.isupper)
    mixed = sum(any(map(is_of, segment)) for is_of in kinds) > 1
    return len(segment) >= _TOKEN_CHARACTERS and mixed
