"""The server on a socket: what it listens on, streams that stay open, and how it ends."""

from __future__ import annotations

import http.client
import socket
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from engine.core.errors import UsageError
from engine.server import LOCAL_ADDRESS, Listener
from tests.server.accounts import decide_bars, start_account
from tests.server.served import serve

if TYPE_CHECKING:
    from pathlib import Path


def test_a_port_in_use_is_refused_in_four_parts() -> None:
    first = Listener(LOCAL_ADDRESS, 0)
    with pytest.raises(UsageError, match="the server cannot listen there") as refused:
        Listener(LOCAL_ADDRESS, first.port)
    first.close()

    error = refused.value
    assert "in use" in error.found
    assert "a free port" in error.expected
    assert error.where == LOCAL_ADDRESS
    assert "--port" in error.fix


def test_a_port_that_was_left_is_free_again() -> None:
    first = Listener(LOCAL_ADDRESS, 0)
    port = first.port
    first.close()

    again = Listener(LOCAL_ADDRESS, port)
    assert again.url == f"http://127.0.0.1:{port}/"
    again.close()


@pytest.mark.parametrize("address", ["192.0.2.7", "no address"])
def test_an_address_of_another_machine_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="cannot listen there"):
        Listener(address, 0)


def test_it_listens_on_this_machine_alone(tmp_path: Path) -> None:
    with serve(tmp_path, tmp_path) as url:
        port = urlsplit(url).port
        addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port)}
        for address in addresses - {"127.0.0.1", "127.0.1.1", "::1"}:
            with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
                socket.create_connection((address, port), timeout=2)


def read_event(stream: http.client.HTTPResponse, kind: str) -> str:
    """The data of the next event of a kind."""
    while line := stream.readline().decode():
        if line.strip() == f"event: {kind}":
            return stream.readline().decode().strip()
    return "the stream ended"


def test_a_stream_tells_of_a_new_bar_and_ends_with_the_server(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    start_account(tmp_path)
    with ExitStack() as stack:
        url = stack.enter_context(serve(tmp_path, tmp_path))
        gone = socket.create_connection(("127.0.0.1", urlsplit(url).port))
        gone.sendall(f"GET /events HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n".encode())
        gone.close()
        with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:
            connection.request("GET", "/events")
            stream = connection.getresponse()
            assert stream.headers["Content-Type"].startswith("text/event-stream")
            first = read_event(stream, "journal")
            decide_bars(tmp_path, "ridge", 0, 1)
            second = read_event(stream, "journal")
            stack.close()
            assert read_event(stream, "journal") == "the stream ended"

    assert first.startswith("data: ")
    assert second.startswith("data: ")
    assert first != second
    assert capfd.readouterr().err == ""


def test_no_websocket_is_accepted(tmp_path: Path) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    with (
        serve(tmp_path, tmp_path) as url,
        closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection,
    ):
        connection.request("GET", "/nothing", headers=upgrade)
        assert connection.getresponse().status == 404
