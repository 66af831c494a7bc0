"""Server-sent events: a page hears of every change, and of a server that is there."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from engine.live.journal.file import journal_path
from engine.server.journal_version import JournalVersion
from engine.server.journal_watch import JournalWatch
from tests.server.accounts import decide_bars, start_account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


async def events(watch: JournalWatch) -> AsyncIterator[tuple[str, str]]:
    async for text in watch.stream(keep_alive_s=0.01):
        if text.startswith("event:"):
            event, data = text.strip().split("\n")
            yield event.removeprefix("event: "), data.removeprefix("data: ")


def listen(change: Callable[[JournalWatch], None], versions: list[str]) -> list[tuple[str, str]]:
    """The events until the stream ends; `change` is called at each."""
    heard = []

    async def run() -> None:
        watch = JournalWatch(lambda: versions[-1], poll_s=0.001)
        poll = asyncio.create_task(watch.poll())
        async for event in events(watch):
            if heard and event == heard[-1]:
                continue
            heard.append(event)
            change(watch)
        poll.cancel()

    # In a thread of its own: a browser of another test may run a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(run())).result()
    return heard


def test_the_first_event_tells_the_version_and_each_change_another() -> None:
    versions = ["one"]

    def change(watch: JournalWatch) -> None:
        if versions[-1] == "one":
            versions.append("two")
        elif versions[-1] == "two":
            versions.append("three")
        else:
            watch.stop()

    heard = listen(change, versions)

    assert [event for event in heard if event[0] == "journal"][:2] == [
        ("journal", "one"),
        ("journal", "two"),
    ]


def test_without_news_the_stream_says_that_it_is_alive_and_a_stop_ends_it() -> None:
    heard: list[str] = []

    def change(watch: JournalWatch) -> None:
        heard.append("event")
        if len(heard) == 2:
            watch.stop()

    assert listen(change, ["same"]) == [("journal", "same"), ("alive", "same")]


def test_a_version_changes_with_every_bar_and_not_by_itself(tmp_path: Path) -> None:
    version = JournalVersion(journal_path(tmp_path))
    absent = version.read()
    start_account(tmp_path)
    seen = [absent, version.read()]
    for number in range(3):
        assert version.read() == seen[-1]
        decide_bars(tmp_path, "ridge", number, number + 1)
        seen.append(version.read())
    version.close()

    assert len(set(seen)) == len(seen)


def test_a_version_changes_with_the_file_and_is_told_of_a_damaged_one(tmp_path: Path) -> None:
    start_account(tmp_path / "one")
    start_account(tmp_path / "two")
    path = journal_path(tmp_path / "one")
    version = JournalVersion(path)
    first = version.read()

    journal_path(tmp_path / "two").replace(path)
    second = version.read()
    path.with_name("damaged").write_bytes(b"no database" * 1_000)
    path.with_name("damaged").replace(path)
    for part in path.parent.glob("journal.sqlite-*"):
        part.unlink()
    third = version.read()
    version.close()

    assert len({first, second, third}) == 3
    assert third.endswith("unreadable")
