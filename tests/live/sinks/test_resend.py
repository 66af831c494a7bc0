"""Dead letters are sent again on request, with the keys that they had."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import UsageError
from engine.live.journal.reader import JournalReader
from engine.live.paper.resend import MAX_FAILURES_IN_A_ROW, resend_messages
from engine.live.sinks.outbox import Attempt, Outbox
from tests.live.sinks.journals import MARKER, decide, give_up, happen, make_account, make_clock
from tests.servers.receiver import receive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

    from engine.live.paper.resend import Resent
    from tests.servers.receiver import Receiver

REFUSED = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as running:
        yield running


@pytest.fixture
def path(tmp_path, receiver) -> Path:
    """An account with decisions at five bars, of which the first four were not taken."""
    hook = {"kind": "webhook", "url": receiver.url, "secret_env": "KEY"}
    path = make_account(tmp_path, sinks=[hook, {"kind": "stdout"}])
    give_up(path, range(4), "webhook")
    with closing(Outbox(path, "demo", "webhook", ("decision", "alert"))) as outbox:
        decide(path, 4)
        outbox.record(outbox.next_pending(), Attempt(1, make_clock().now(), "delivered"))
    return path


def resend(path: Path, **options: object) -> tuple[Resent, ...]:
    home = path.parents[1]
    return resend_messages(
        "demo", clock=make_clock(), home=home, environment={"KEY": MARKER}, **options
    )


def test_dead_letters_are_sent_once_with_their_keys(path, receiver) -> None:
    resent = resend(path)
    assert [row.outcome for row in resent] == ["delivered"] * 4
    assert receiver.keys == [row.key for row in resent]
    assert resend(path) == ()


def test_a_dry_run_sends_nothing_and_needs_no_secret(path, receiver) -> None:
    home = path.parents[1]
    listed = resend_messages("demo", clock=make_clock(), home=home, environment={}, dry_run=True)
    assert [row.outcome for row in listed] == ["listed"] * 4
    assert receiver.requests == []


def test_all_is_what_was_sent_or_given_up_and_nothing_that_is_pending(path, receiver) -> None:
    decide(path, 6)
    happen(path, "missed", 5)
    assert len(resend(path, every=True, sink="webhook")) == 5
    assert len(receiver.requests) == 5
    with JournalReader(path) as reader:
        assert len(reader.decisions("demo")) == 6


def test_a_letter_that_is_refused_again_stays_dead(path, receiver) -> None:
    receiver.behaviours = [REFUSED]
    assert [row.outcome for row in resend(path)] == ["dead", *["delivered"] * 3]
    assert [row.outcome for row in resend(path)] == ["delivered"]


def test_a_sink_that_takes_nothing_is_left(path, receiver) -> None:
    receiver.behaviours = [REFUSED] * 9
    outcomes = [row.outcome for row in resend(path)]
    assert outcomes == ["dead"] * MAX_FAILURES_IN_A_ROW + ["skipped"]
    assert len(receiver.requests) == MAX_FAILURES_IN_A_ROW


def test_names_that_do_not_exist_are_told(path) -> None:
    with pytest.raises(UsageError, match="webhook or stdout"):
        resend(path, sink="hook")
    with pytest.raises(UsageError, match="no paper account"):
        resend_messages("other", clock=make_clock(), home=path.parents[1])
    with pytest.raises(UsageError, match="no paper account"):
        resend_messages("demo", clock=make_clock(), home=path.parents[2] / "empty")


def command(*options: str) -> Result:
    return CliRunner().invoke(app, ["paper", "resend", "demo", *options])


def test_the_command_prints_each_message_and_ends_with_3_where_one_was_not_taken(
    path, receiver, monkeypatch
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(path.parents[1]))
    monkeypatch.setenv("KEY", MARKER)
    receiver.behaviours = [REFUSED]
    first = command("--json")
    assert first.exit_code == 3
    assert [row["outcome"] for row in json.loads(first.stdout)] == ["dead", *["delivered"] * 3]
    assert "1 of 4 messages were not delivered" in first.stderr
    assert "HTTP 503" in first.stderr
    second = command("--sink", "webhook")
    assert (second.exit_code, "delivered" in second.stdout) == (0, True)
    third = command()
    assert (third.exit_code, third.stdout) == (0, "account demo has nothing to send again\n")


def test_messages_on_standard_output_are_not_mixed_with_the_report(
    path, monkeypatch, capfd
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(path.parents[1]))
    give_up(path, [5], "stdout")
    report = command("--sink", "stdout", "--json")
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)["kind"] == "decision"
    assert (report.stdout, report.stderr.split()[:2]) == ("", ["stdout", "delivered"])
