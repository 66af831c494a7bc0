"""The index over HTTP: for this machine alone, read-only."""

from __future__ import annotations

import http.client
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import UsageError
from tests.reporting.sweep_runs import IDS, index_server, make_run, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    reports = tmp_path_factory.mktemp("served")
    folder = write_run(make_run(0), reports)
    (folder / "significance.html").write_text("as it is", encoding="utf-8")
    server = index_server(reports)
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield int(server.url.rstrip("/").rpartition(":")[2])
    server.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


def ask(
    port: int, target: str = "/", *, method: str = "GET", host: str | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, target, skip_host=True)
    if host != "":
        connection.putheader("Host", host or f"127.0.0.1:{port}")
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_pages_have_type_length_and_security_headers(
    port: int,
) -> None:
    answer, content = ask(port, f"/ridge/{IDS[0]}/significance.html")

    assert (answer.status, content) == (200, b"as it is")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Length"] == "8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert IDS[0].encode() in ask(port)[1]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "localhost.evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "",
    ],
)
def test_a_request_for_another_host_is_refused(port: int, host: str) -> None:
    answer, content = ask(port, host=host.format(port=port))

    assert answer.status == 421
    assert IDS[0].encode() not in content


def test_localhost_is_an_accepted_host(port: int) -> None:
    assert ask(port, host=f"localhost:{port}")[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_methods_that_change_something_are_not_implemented(port: int, method: str) -> None:
    assert ask(port, method=method)[0].status == 501


def test_head_is_answered_without_the_page(port: int) -> None:
    answer, content = ask(port, method="HEAD")
    assert (answer.status, content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 1_000


@pytest.mark.parametrize("target", ["/nothing", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"])
def test_an_unknown_path_gives_404(port: int, target: str) -> None:
    answer, content = ask(port, target)
    assert answer.status == 404
    assert b"root:" not in content


def test_the_server_listens_on_the_local_host_only(port: int) -> None:
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port)}
    for address in addresses - {"127.0.0.1", "127.0.1.1", "::1"}:
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection((address, port), timeout=2)


def test_a_closed_connection_is_not_an_error(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as gone:
        gone.sendall(f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    assert ask(port)[0].status == 200
    assert capfd.readouterr().err == ""


def test_a_port_in_use_is_refused(port: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the server cannot use this port"):
        index_server(tmp_path, port)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the folder of runs does not exist"):
        index_server(tmp_path / "nowhere")


def test_a_server_that_never_served_can_be_closed(tmp_path: Path) -> None:
    index_server(tmp_path).close()
