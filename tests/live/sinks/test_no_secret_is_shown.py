"""Whatever fails, no output and no file has a secret, in any form in which it may be written."""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.live.sinks.config import AppriseSinkSpec, WebhookSinkSpec
from engine.live.sinks.threads import SinkThreads
from tests.live.sinks.journals import decide, give_up, make_account, make_clock
from tests.servers.receiver import receive

if TYPE_CHECKING:
    from pathlib import Path

# apprise imports it on the versions of Python that still have it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

KEY = "KEY+MARKER/73ü%41 end"
TOKEN = "TOKEN-MARKER-81-abcdef"


def forms_of(secret: str) -> list[str]:
    """The secret as text, percent-encoded, in hex, and in base64 at each of three positions."""
    raw = secret.encode()
    encoded = [base64.b64encode(b"x" * shift + raw).decode()[4:-4] for shift in range(3)]
    return [secret, quote(secret), quote(secret, safe=""), raw.hex(), *encoded, repr(secret)[1:-1]]


FORMS = [form for secret in (KEY, TOKEN) for form in forms_of(secret)]


def assert_hidden(text: str) -> None:
    assert [form for form in FORMS if form in text] == []


def assert_no_file_has_one(folder: Path, kept: set[Path]) -> None:
    files = {file for file in folder.rglob("*") if file.is_file()} - kept
    assert files
    for file in files:
        assert_hidden(file.read_bytes().decode("latin-1"))
        assert_hidden(file.read_bytes().decode("utf-8", errors="replace"))


ECHO = (
    f"HTTP/1.1 {{status}} {TOKEN}\r\nX-Echo: {TOKEN}\r\nLocation: http://127.0.0.1/{TOKEN}\r\n"
    f"Retry-After: {TOKEN}\r\nContent-Length: {len(TOKEN)}\r\n\r\n{TOKEN}"
)


@pytest.mark.parametrize(
    "behaviour",
    [
        *(ECHO.format(status=status).encode() for status in (200, 302, 400, 429, 500)),
        f"{TOKEN}\r\n\r\n".encode(),
        f"HTTP/1.1 {TOKEN}\r\n\r\n".encode(),
        "close",
    ],
)
def test_what_a_receiver_answers(behaviour, tmp_path, capfd, caplog) -> None:
    caplog.set_level(logging.NOTSET)
    notices: list[str] = []
    with receive() as hook, receive() as channel:
        hook.behaviours, channel.behaviours = [behaviour], [behaviour]
        environment = {
            "HOOK": f"{hook.url}/{TOKEN}?token={TOKEN}",
            "KEY": KEY,
            "CHANNEL": f"json://{TOKEN}:{TOKEN}@127.0.0.1:{channel.port}/{TOKEN}",
        }
        specs = (
            WebhookSinkSpec(url_env="HOOK", secret_env="KEY", attempts=1),
            AppriseSinkSpec(url_env="CHANNEL", attempts=1),
        )
        path = make_account(tmp_path, sinks=[spec.model_dump() for spec in specs])
        with SinkThreads(path, "demo", specs, make_clock(), notices.append, environment) as sinks:
            decide(path, 0, 0.4, places_order=True)
            sinks.wake()
            assert TOKEN in hook.wait_for(1)[0].target
            assert TOKEN in channel.wait_for(1)[0].target
        assert_hidden(repr(vars(sinks)))
    shown = capfd.readouterr()
    assert_hidden("".join([shown.out, shown.err, caplog.text, *notices, repr(specs)]))
    assert_no_file_has_one(tmp_path, kept=set())


def secret_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / f"secret-{mode:o}-{len(text)}"
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize(
    ("sink", "environment"),
    [
        ({"url_env": "HOOK"}, {"HOOK": f"ftp://example.com/{TOKEN}"}),
        ({"url_env": "HOOK"}, {"HOOK": f"https://{TOKEN}:{TOKEN}@example.com/"}),
        ({"url_env": "HOOK"}, {"HOOK": f"http://example.com/{TOKEN}"}),
        ({"url_env": "HOOK"}, {"HOOK": f"https://example.com/{TOKEN} {TOKEN}"}),
        ({"url_env": "HOOK"}, {"HOOK": f"https://[{TOKEN}/"}),
        ({"url_env": "HOOK"}, {"HOOK": f"{TOKEN}\n{TOKEN}"}),
        ({"url_env": "HOOK"}, {"HOOK": f"http://127.0.0.1:9/{TOKEN}", "KEY": f"{KEY}\n"}),
        ({"url_env": "HOOK"}, {"HOOK": f"https://localhost:9/{TOKEN}"}),
        ({"kind": "apprise", "url_env": "HOOK"}, {"HOOK": f"nothing://{TOKEN}"}),
        ({"kind": "apprise", "url_env": "HOOK"}, {"HOOK": f"jsons://{TOKEN}/?verify=no"}),
        ({"kind": "apprise", "url_env": "HOOK"}, {"HOOK": f"json://{TOKEN}@127.0.0.1:9/{TOKEN}"}),
        ({"url_file": (f"https://example.com/{TOKEN}", 0o644)}, {}),
        ({"url_file": (f"{TOKEN}\n{TOKEN}", 0o600)}, {}),
        ({"url_file": (TOKEN, 0o600)}, {}),
        ({"url_file": (f"http://127.0.0.1:9/{TOKEN}", 0o600)}, {}),
    ],
)
def test_errors_of_commands_and_their_tracebacks(sink, environment, tmp_path, monkeypatch) -> None:
    kept = set()
    spec = {"kind": "webhook", "name": "hook"} | sink
    if "url_file" in spec:
        kept.add(secret_file(tmp_path, *spec["url_file"]))
        spec["url_file"] = str(next(iter(kept)))
    if spec["kind"] == "webhook":
        spec["secret_env"] = "KEY"
    path = make_account(tmp_path, sinks=[spec])
    for name, value in ({"BACKTEST_HOME": str(tmp_path), "KEY": KEY} | environment).items():
        monkeypatch.setenv(name, value)
    give_up(path, [0], "hook")
    shown = CliRunner().invoke(app, ["paper", "resend", "demo", "--debug"])
    assert shown.exit_code in {2, 3}
    assert "Traceback" in shown.stderr
    assert_hidden(shown.output + repr(shown.exception) + shown.stderr)
    assert_no_file_has_one(tmp_path, kept)


def test_settings_that_a_user_writes_wrongly(tmp_path) -> None:
    file = tmp_path / "paper.yaml"
    for text in (
        f"sinks: [{{kind: webhook, url: 'https://a/{TOKEN}', secret: '{KEY}'}}]",
        f"sinks: {{kind: webhook, url: 'https://a/{TOKEN}'}}",
        f"sinks: https://a/{TOKEN}",
        f"sinks: [{{kind: webhook, url: 'https://a/{TOKEN}', secret: a: b}}]",
        f"sinks: [{{kind: webhook, secret: {TOKEN}: {TOKEN}, secret: !a {TOKEN}}}]",
        f"{TOKEN}",
        f"sinks:\n\t{TOKEN}: {TOKEN}",
        f"sinks: [{{kind: webhook, secret: *{TOKEN}}}]",
        f"sinks: [{{kind: apprise, url: 'tgram://{TOKEN}', url_env: tgram://{TOKEN}}}]",
    ):
        file.write_text(text)
        arguments = ["paper", "start", "strategies/ridge.yaml", "--account", "a", "--capital", "1"]
        shown = CliRunner().invoke(app, [*arguments, "--settings", str(file), "--debug"])
        assert shown.exit_code == 2
        assert_hidden(shown.output + shown.stderr)
