"""`backtest serve`: what it refuses before it listens, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from itertools import takewhile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from tests.reporting.sweep_runs import IDS, make_run, write_run
from tests.server.accounts import start_account

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

SERVE = "from engine.cli.main import main; main()"
TOKEN = "correct-horse-battery"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHORT", "too-short")
    return tmp_path / "home"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["serve", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--host", "0.0.0.0"), "needs a token"),
        (("--host", "::1"), "needs a token"),
        (("--host", "192.0.2.7", "--token-env", "ABSENT"), "the token of the server is missing"),
        (("--token-env", "SHORT"), "the token is too short"),
        (("--token-env", "SHORT", "--token-file", "x"), "two tokens are named"),
        (("--token-file", "absent"), "the token of the server cannot be read"),
        (("--reports", "file"), "the folder of runs is no folder"),
        (("--port", "70000"), "70000"),
    ],
)
def test_what_cannot_be_served_safely_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "file").touch()

    result = invoke(*arguments)

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert "too-short" not in result.stderr


def test_a_file_of_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)

    result = invoke("--token-file", file)

    assert result.exit_code == 2
    assert "mode 644" in result.stderr
    assert TOKEN not in result.stderr


def start(tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The command as a process, and its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "serve", "--port", "0", *arguments],
        cwd=tmp_path,
        env=os.environ | {"TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def ask(url: str, path: str, **headers: str) -> tuple[int, str]:
    """Status and text of an answer."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.slow
def test_an_interrupt_ends_it_with_130_also_with_an_open_stream(home: Path) -> None:
    write_run(make_run(0), home.parent / "reports")
    start_account(home)
    process, url = start(home.parent)
    try:
        assert "ridge" in ask(url, "/")[1]
        assert IDS[0] in ask(url, "/runs")[1]
        page = f"/runs/ridge/{IDS[0]}/quantstats.html"
        assert "Independent report: quantstats" in ask(url, page)[1]
        with socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=30) as stream:
            stream.sendall(
                f"GET /events HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n".encode()
            )
            assert stream.recv(4_096).startswith(b"HTTP/1.1 200")
            process.send_signal(signal.SIGINT)
            rest, notices = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert url.startswith("http://127.0.0.1:")
    assert rest == ""
    assert "to this machine only; Ctrl-C stops" in notices
    assert "Traceback" not in notices


@pytest.mark.slow
def test_with_a_token_json_has_the_address_and_pages_need_the_token(tmp_path: Path) -> None:
    process, first = start(tmp_path, "--host", "0.0.0.0", "--token-env", "TOKEN", "--json")
    try:
        lines = takewhile(lambda line: line.strip() != "}", iter(process.stdout.readline, ""))
        lines = takewhile(lambda line: line.strip() != "}", iter(process.stdout.readline, ""))
        document = json.loads("".join([first, *lines, "}"]))
        url = document["url"].replace("0.0.0.0", "127.0.0.1")
        assert ask(url, "/")[0] == 401
        assert ask(url, "/", Authorization=f"Bearer {TOKEN}")[0] == 200
        process.send_signal(signal.SIGTERM)
        _, notices = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGTERM
    assert TOKEN not in notices
