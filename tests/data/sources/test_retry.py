"""Retries: their number, their pauses, and requested pauses."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from engine.data.sources.client_settings import ClientSettings
from engine.data.sources.retry import call_with_retries, parse_retry_after

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)


class Server:
    """Fails a number of times, and records the time of each request."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.request_times: list[float] = []

    def __call__(self) -> str:
        self.request_times.append(time.monotonic())
        if len(self.request_times) <= self.failures:
            raise ConnectionError
        return "answer"

    @property
    def waits(self) -> list[float]:
        return [
            later - at
            for at, later in zip(self.request_times, self.request_times[1:], strict=False)
        ]


def always(_):
    return True


def test_a_request_is_retried_after_each_pause():
    server = Server(2)
    assert (
        call_with_retries(server, always, ClientSettings(retry_pauses_s=(0.01, 0.03), jitter=0.0))
        == "answer"
    )
    assert server.waits[0] >= 0.01
    assert server.waits[1] >= 0.03
    with pytest.raises(ConnectionError):
        call_with_retries(
            Server(3), always, ClientSettings(retry_pauses_s=(0.01, 0.03), jitter=0.0)
        )


def test_a_permanent_error_is_not_retried():
    server = Server(1)
    with pytest.raises(ConnectionError):
        call_with_retries(server, lambda _: False, ClientSettings(retry_pauses_s=(9.0,)))
    assert len(server.request_times) == 1


def test_jitter_lengthens_pauses_within_its_share():
    server = Server(8)
    call_with_retries(server, always, ClientSettings(retry_pauses_s=(0.01,) * 8, jitter=1.0))
    assert all(0.01 <= wait < 0.5 for wait in server.waits)
    assert max(server.waits) - min(server.waits) > 0.001


def test_a_longer_requested_pause_is_kept():
    server = Server(1)
    call_with_retries(
        server, always, ClientSettings(retry_pauses_s=(0.01,)), requested_pause_s=lambda _: 0.1
    )
    assert server.waits[0] >= 0.1


def test_a_shorter_requested_pause_is_not_used():
    server = Server(1)
    call_with_retries(
        server, always, ClientSettings(retry_pauses_s=(0.05,)), requested_pause_s=lambda _: 0.0
    )
    assert server.waits[0] >= 0.05


def test_a_pause_beyond_the_deadline_is_not_started():
    server = Server(1)
    began = time.monotonic()
    with pytest.raises(ConnectionError):
        call_with_retries(
            server, always, ClientSettings(retry_pauses_s=(5.0,)), deadline=began + 1.0
        )
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Sun, 10 Mar 2024 12:00:30 GMT", 30.0),
        ("Sun, 10 Mar 2024 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_parsed_as_seconds_or_date(header, seconds):
    assert parse_retry_after(header, NOON) == seconds
