"""A specification names where a secret is kept; one that holds a secret is refused, unquoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.config import load_config
from engine.core.errors import UsageError
from engine.live.paper.settings import PaperSettings
from engine.live.sinks.config import AppriseSinkSpec, StdoutSinkSpec, WebhookSinkSpec
from engine.live.sinks.opening import describe_sink
from engine.live.sinks.option import parse_sinks
from engine.live.sinks.web_address import parse_web_address
from tests.live.sinks.journals import MARKER

if TYPE_CHECKING:
    from pathlib import Path


LETTERS = "XqmPwZtrLkNbVcXsDfGh"


def load_sinks(folder: Path, text: str) -> tuple[object, ...]:
    file = folder / "paper.yaml"
    file.write_text(f"sinks:\n  - {text}\n")
    return load_config(file, PaperSettings).sinks


def test_a_sink_is_a_kind_and_its_keys(tmp_path) -> None:
    (sink,) = load_sinks(
        tmp_path, "{kind: webhook, url: 'https://example.com/hook', secret_env: HOOK_KEY}"
    )
    assert sink == WebhookSinkSpec(url="https://example.com/hook", secret_env="HOOK_KEY")
    assert sink.events == ("decision", "alert")


def test_people_are_told_of_orders_and_alerts(tmp_path) -> None:
    (sink,) = load_sinks(tmp_path, "{kind: apprise, url_env: CHANNEL}")
    assert sink == AppriseSinkSpec(url_env="CHANNEL", events=("order", "alert"))


@pytest.mark.parametrize(
    "text",
    [
        f"{{kind: webhook, url: 'https://user:{MARKER}@example.com/', secret_env: A}}",
        f"{{kind: webhook, url: 'https://{MARKER}@example.com/', secret_env: A}}",
        f"{{kind: webhook, url: 'https://example.com/?t={MARKER}', secret_env: A}}",
        f"{{kind: webhook, url: 'https://example.com/{MARKER}', secret_env: A}}",
        f"{{kind: webhook, url: 'http://example.com/{MARKER}', secret_env: A}}",
        f"{{kind: webhook, url: 'https://example.com/a/{LETTERS}/b', secret_env: A}}",
        f"{{kind: webhook, url: 'tgram://{MARKER}/', secret_env: A}}",
        f"{{kind: webhook, url: [{MARKER}], secret_env: A}}",
        f"{{kind: webhook, url: 'https://example.com', secret_env: {MARKER}}}",
        f"{{kind: webhook, url: 'https://example.com', secret_env: [{MARKER}]}}",
        f"{{kind: webhook, url: 'https://example.com', secret: {MARKER}}}",
        f"{{kind: webhook, url_env: {MARKER}, secret_env: A}}",
        f"{{kind: apprise, url: 'tgram://{MARKER}/'}}",
        f"{{kind: apprise, url_env: 'tgram://{MARKER}/'}}",
        f"{{kind: webhook, url: 'https://example.com/{MARKER}'}}",
        f"'https://example.com/{MARKER}'",
    ],
)
def test_a_secret_in_its_place_is_refused_and_not_quoted(tmp_path, text) -> None:
    for load in (lambda: load_sinks(tmp_path, text), lambda: parse_sinks([text.strip("'")])):
        with pytest.raises(UsageError) as caught:
            load()
        shown = f"{caught.value}{caught.value!r}{caught.value.__dict__}"
        assert MARKER not in shown
        assert LETTERS not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{kind: webhook, secret_env: A}", "one of the keys url, url_env, url_file, found none"),
        (
            "{kind: webhook, url_env: A, url_file: b, secret_env: A}",
            "one of the keys url, url_env, url_file, found url_env and url_file",
        ),
        ("{kind: webhook, url_env: A}", "one of the keys secret_env, secret_file, found none"),
        ("{kind: apprise}", "one of the keys url_env, url_file, found none"),
        ("{kind: file}", "the key `path`"),
        ("{kind: stdout, events: []}", "at least 1 entries"),
        ("{kind: stdout, events: [fills]}", "decision, order or alert"),
        ("{kind: stdout, name: 'a b'}", "matching"),
        ("{kind: stdout, attempts: 0}", "at least 1"),
        ("{kind: carrier_pigeon}", "apprise, file, stdout or webhook"),
    ],
)
def test_a_mistake_is_told_with_what_was_expected(tmp_path, text, expected) -> None:
    with pytest.raises(UsageError, match=expected):
        load_sinks(tmp_path, text)


def test_sinks_have_names_of_their_own(tmp_path) -> None:
    with pytest.raises(UsageError, match="found stdout twice"):
        load_sinks(tmp_path, "{kind: stdout}\n  - {kind: stdout}")


def test_the_command_line_has_a_kind_or_a_mapping() -> None:
    first, second = parse_sinks(["stdout", "{kind: stdout, name: second, events: [alert]}"])
    assert first == StdoutSinkSpec()
    assert second == StdoutSinkSpec(name="second", events=("alert",))


@pytest.mark.parametrize("text", ["{kind: stdout}, {kind: stdout", "{kind", "kind: stdout", ""])
def test_an_option_is_one_sink(text) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        parse_sinks([text])


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000/hook", "http://localhost/", "http://[::1]:80/", "http://127.9.9.9"],
)
def test_http_is_for_this_machine(address) -> None:
    assert parse_web_address(address).scheme == "http"


@pytest.mark.parametrize(
    "address",
    [
        *("", "example.com", "https://", "https:///x", "ftp://example.com", "file:///etc/passwd"),
        *(
            "http://10.0.0.1/",
            "http://localhost.example.com/",
            "http://0.0.0.0/",
            "http://2130706433",
        ),
        *("https://example.com:99999/", "https://example.com:0/", "https://ex ample.com/"),
        *("https://example.com/\r\nX: y", "https://éxample.com/", f"https://a/{'x' * 5000}"),
    ],
)
def test_other_addresses_are_refused(address) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_web_address(address)


def test_an_address_is_shown_without_its_path() -> None:
    address = parse_web_address(f"https://example.com:8443/{MARKER}?a={MARKER}")
    assert str(address) == "https://example.com:8443/..."
    assert MARKER not in repr(address)
    spec = WebhookSinkSpec(url="https://example.com/signals", secret_env="A")
    assert describe_sink(spec) == "webhook https://example.com/..."
    assert "signals" not in repr(spec)
