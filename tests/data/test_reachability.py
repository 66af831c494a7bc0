from __future__ import annotations

import socket
import time

import pytest

from engine.core.errors import UnreachableError
from engine.data.fetch.reachability import ServerAddress, first_hop, require_reachable


@pytest.fixture
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_listening_server_is_reachable(bitstamp):
    require_reachable(first_hop(bitstamp.url))


def test_a_refused_connection_is_reported_at_once():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port} cannot be reached"):
        require_reachable(ServerAddress("127.0.0.1", port))
    assert time.monotonic() - began < 0.5


def test_a_connection_that_hangs_times_out():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(address)
            began = time.monotonic()
            with pytest.raises(UnreachableError):
                require_reachable(ServerAddress(*address), timeout_s=0.3)
            assert time.monotonic() - began < 1.0
        finally:
            for client in waiting:
                client.close()


@pytest.mark.usefixtures("no_proxies")
def test_without_a_proxy_the_server_is_the_first_hop():
    assert first_hop("https://example.org/api") == ServerAddress("example.org", 443)
    assert first_hop("http://example.org:81") == ServerAddress("example.org", 81)


@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_with_a_proxy_the_proxy_is_the_first_hop(monkeypatch, name):
    monkeypatch.setenv(name, "http://gate:3128")
    hop = first_hop("https://example.org/api")
    assert hop == ServerAddress("gate", 3128, is_proxy=True)
    assert str(hop) == "the proxy gate:3128"


@pytest.mark.usefixtures("no_proxies")
def test_a_host_in_no_proxy_is_reached_directly(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://gate:3128")
    monkeypatch.setenv("no_proxy", "example.org")
    assert first_hop("https://example.org/api") == ServerAddress("example.org", 443)
