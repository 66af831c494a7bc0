"""Who may read the pages: hosts that requests may name, and the token of other addresses."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from engine.core.errors import UsageError

LOCAL_ADDRESS = "127.0.0.1"
"""The address that needs no token: this machine alone reaches it."""

LOCAL_NAMES = (LOCAL_ADDRESS, "localhost")

MIN_TOKEN_CHARACTERS = 16
"""A shorter token could be guessed by trying."""

COOKIE_NAME = "backtest-access"

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


@dataclass(frozen=True)
class AccessToken:
    """A secret that every request has to carry.

    Args:
        secret: At least `MIN_TOKEN_CHARACTERS` printable ASCII characters; it is no part of the
            representation.

    Raises:
        UsageError: It is shorter, or has other characters, which no header can carry.
    """

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        """Checks that it is long enough, and that a header can carry it."""
        if len(self.secret) < MIN_TOKEN_CHARACTERS:
            raise UsageError(
                "the token is too short",
                expected=f"at least {MIN_TOKEN_CHARACTERS} characters",
                found=f"{len(self.secret)}",
                fix='make one: python -c "import secrets; print(secrets.token_urlsafe())"',
            )
        if not all("!" <= character <= "~" for character in self.secret):
            raise UsageError(
                "the token has characters that a header cannot carry",
                expected="printable ASCII without spaces",
                found="other characters",
                fix='make one: python -c "import secrets; print(secrets.token_urlsafe())"',
            )

    @property
    def cookie_value(self) -> str:
        """Value of the cookie that stands for the token; the token cannot be had from it."""
        return hmac.new(self.secret.encode(), COOKIE_NAME.encode(), hashlib.sha256).hexdigest()

    def matches(self, given: str) -> bool:
        """Whether `given` is the token; the time taken does not depend on where it differs."""
        return _equal(given, self.secret)

    def matches_cookie(self, given: str) -> bool:
        """Whether `given` is the value of the cookie, in constant time too."""
        return _equal(given, self.cookie_value)


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


@dataclass(frozen=True)
class AllowedHosts:
    """The Host headers that are answered.

    DNS rebinding: a foreign web page can make a browser send requests to this machine under the
    page's own host name and read the responses. Only names that belong to this server are
    answered. An address in digits is no name that somebody else could point to it.

    Attributes:
        address: The address the server listens on; `0.0.0.0` and `::` are all of the machine's.
        port: Its port.
        names: Further names of the machine or of a proxy before it, with any port.
    """

    address: str
    port: int
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Checks the names."""
        for name in self.names:
            if not _HOST_NAME.fullmatch(name):
                raise UsageError(
                    "a further host name is none",
                    expected="a name as browsers send it, such as trading.example.org, without "
                    "scheme, port or path",
                    found=name,
                    where="--allow-host",
                    fix="give the name alone",
                )

    def accept(self, header: str) -> bool:
        """Whether a request with this Host header is answered."""
        try:
            parts = urlsplit(f"//{header}")
            host, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if parts.netloc != header or "@" in header or not host:
            return False
        if host in {name.lower() for name in self.names}:
            return True
        return port == self.port and self._is_own(host)

    def _is_own(self, host: str) -> bool:
        if self.address == LOCAL_ADDRESS:
            return host in LOCAL_NAMES
        try:
            named, own = ip_address(host), ip_address(self.address)
        except ValueError:
            return host == self.address.lower()
        return own.is_unspecified or named == own
