"""A quick check that a server can be reached, before a heavy client is loaded and waits."""

from __future__ import annotations

import socket
import urllib.request
from dataclasses import dataclass
from threading import Thread
from urllib.parse import urlsplit

from engine.core.errors import UnreachableError

CONNECT_TIMEOUT_S = 2.0
"""Seconds for the name look-up and the connection together."""


@dataclass(frozen=True)
class ServerAddress:
    """A host and a port to connect to, and whether that is a proxy."""

    host: str
    port: int
    is_proxy: bool = False

    def __str__(self) -> str:
        """The address as messages write it."""
        return f"{'the proxy ' if self.is_proxy else ''}{self.host}:{self.port}"


def first_hop(url: str) -> ServerAddress:
    """The first address that a client of `url` connects to: the server, or its proxy.

    The proxy is that of the environment (`https_proxy`, `no_proxy`, ...) or of the system's
    settings, which the clients read too.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return ServerAddress(host, port)
    hop = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    hop_port = hop.port or (443 if hop.scheme == "https" else 80)
    return ServerAddress(hop.hostname or "", hop_port, is_proxy=True)


def require_reachable(address: ServerAddress, timeout_s: float = CONNECT_TIMEOUT_S) -> None:
    """Connects and disconnects.

    Raises:
        UnreachableError: No connection within `timeout_s`, whatever the reason.
    """
    outcome: list[OSError | None] = []

    def connect() -> None:
        try:
            socket.create_connection((address.host, address.port), timeout=timeout_s).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(error)

    # A name look-up has no time-out of its own and can hang for half a minute, so that it runs in
    # a daemon thread, which is not waited for.
    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if outcome == [None]:
        return
    reason = outcome[0] if outcome else f"no answer within {timeout_s:g} s"
    raise UnreachableError(
        f"{address} cannot be reached",
        found=str(reason),
        where=str(address),
        fix="check the network",
    )
