"""Who may read: Host headers that are answered, and the token."""

from __future__ import annotations

import pytest

from engine.core.errors import UsageError
from engine.server import AccessToken, AllowedHosts

TOKEN = "correct-horse-battery"
PORT = 8_642


@pytest.mark.parametrize("header", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}"])
def test_the_local_server_answers_to_the_names_of_this_machine(header: str) -> None:
    assert AllowedHosts("127.0.0.1", PORT).accept(header)


@pytest.mark.parametrize(
    "header",
    [
        "evil.example",
        f"evil.example:{PORT}",
        f"localhost.evil.example:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
        f"evil.example@127.0.0.1:{PORT}",
        f"127.0.0.1:{PORT}@evil.example",
        f"127.0.0.1:{PORT}/",
        f"127.0.0.1:{PORT}?x",
        f"127.0.0.1:{PORT}#x",
        f" 127.0.0.1:{PORT}",
        f"127.0.0.1:0{PORT}0",
        f"127.0.0.2:{PORT}",
        f"192.0.2.7:{PORT}",
        f"[::1]:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:x",
        "[::1]",
        "[",
        ":",
        "",
    ],
)
def test_the_local_server_answers_to_no_other_name(header: str) -> None:
    assert not AllowedHosts("127.0.0.1", PORT).accept(header)


def test_at_port_80_the_port_may_be_left_out() -> None:
    assert AllowedHosts("127.0.0.1", 80).accept("127.0.0.1")


@pytest.mark.parametrize(
    ("address", "header", "accepted"),
    [
        ("192.0.2.7", f"192.0.2.7:{PORT}", True),
        ("192.0.2.7", f"192.0.2.8:{PORT}", False),
        ("192.0.2.7", f"localhost:{PORT}", False),
        ("192.0.2.7", f"evil.example:{PORT}", False),
        ("0.0.0.0", f"192.0.2.7:{PORT}", True),
        ("0.0.0.0", f"evil.example:{PORT}", False),
        ("::", f"[2001:db8::7]:{PORT}", True),
        ("::1", f"[0:0::1]:{PORT}", True),
        ("box.example", f"box.example:{PORT}", True),
        ("box.example", f"evil.example:{PORT}", False),
    ],
)
def test_another_address_answers_to_itself(address: str, header: str, accepted: bool) -> None:
    assert AllowedHosts(address, PORT).accept(header) is accepted


def test_a_name_that_was_allowed_is_accepted_with_any_port_and_no_other_name_is() -> None:
    hosts = AllowedHosts("127.0.0.1", PORT, ("Desk.example",))

    assert hosts.accept("desk.example")
    assert hosts.accept("desk.example:443")
    assert not hosts.accept("evil.desk.example")


def test_a_token_matches_itself_alone() -> None:
    token = AccessToken(TOKEN)

    assert token.matches(TOKEN)
    for other in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\udcff", token.cookie_value):
        assert not token.matches(other)


def test_the_cookie_is_not_the_token_and_changes_with_it() -> None:
    token = AccessToken(TOKEN)

    assert token.matches_cookie(token.cookie_value)
    assert not token.matches_cookie(TOKEN)
    assert TOKEN not in token.cookie_value
    assert AccessToken(TOKEN + "x").cookie_value != token.cookie_value


def test_a_token_is_in_no_representation() -> None:
    assert TOKEN not in repr(AccessToken(TOKEN))


@pytest.mark.parametrize(
    "secret", ["", "brief-one", "x" * 15, "a token with spaces", "t\u00f6ken" * 8]
)
def test_a_token_that_can_be_guessed_or_not_sent_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(UsageError) as refused:
        AccessToken(secret)

    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize("name", ["", "https://desk.example", "desk.example:80", "a b", "\x1b[2J"])
def test_a_further_name_that_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="further host name"):
        AllowedHosts("127.0.0.1", PORT, (name,))
