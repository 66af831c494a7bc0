"""A feed of files that another program writes."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, SourceError
from engine.data.config import Dataset
from engine.data.manifests import DatasetManifest
from engine.live.feeds import FolderFeedSpec, PollFeedSpec, open_feed
from tests.data.datasets import RecordingProgress
from tests.live.feeds.exchange import at, stamps
from tests.live.manual_clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "timestamp,open,high,low,close,volume\n"


def line(time: str, close: str = "100.5") -> str:
    return f"2026-11-30T{time}:00Z,100,101,99,{close},12\n"


FEEDS = pytest.mark.parametrize(
    "spec", [FolderFeedSpec(), PollFeedSpec(retry_s=0.1)], ids=["folder", "poll"]
)


class Folder:
    """The folder, its feed and its clock, at half a minute past noon."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock("2026-11-30 12:00:30")
        self.progress = RecordingProgress()
        self.write("BTC", HEADER + line("11:58") + line("11:59"))
        self.write("ETH", HEADER + line("11:58") + line("11:59"))

    def file(self, symbol: str) -> Path:
        return self.path / "bars" / f"{symbol}.csv"

    def write(self, symbol: str, text: str) -> None:
        """Replaces a file, as a program does that writes another and renames it."""
        self.file(symbol).parent.mkdir(exist_ok=True)
        draft = self.path / "draft"
        draft.write_text(text)
        self.stamp(draft)
        draft.rename(self.file(symbol))

    def append(self, symbol: str, text: str) -> None:
        with self.file(symbol).open("a") as file:
            file.write(text)
        self.stamp(self.file(symbol))

    def stamp(self, path: Path) -> None:
        """Files are written at the time that the clock shows."""
        seconds = self.clock.now().timestamp()
        os.utime(path, (seconds, seconds))

    def open(self, spec=None, interval="1m", calendar="24/7", **source):
        files = {"kind": "files", "path": "bars", **source}
        dataset = Dataset(
            name="x",
            interval=interval,
            calendar=calendar,
            symbols=("BTC", "ETH"),
            sources=(files,),
        )
        return open_feed(
            spec or FolderFeedSpec(),
            DatasetManifest(dataset, self.path / "x.yaml"),
            home=self.path,
            clock=self.clock,
            progress=self.progress,
        )


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_hands_out_bars_as_they_are_appended(folder):
    feed = folder.open()
    assert stamps(feed.fetch(at("11:58")), "BTC") == ["11:59"]
    folder.clock.at("2026-11-30 12:01:10", lambda: folder.append("BTC", line("12:00")))
    feed.wait(600.0)
    assert folder.clock.now() == at("12:01")
    assert stamps(feed.fetch(at("11:59")), "BTC") == []
    feed.wait(600.0)
    assert folder.clock.now() == at("12:01:10")
    bars = feed.fetch(at("11:59"))
    assert stamps(bars, "BTC") == ["12:00"]
    assert stamps(bars, "ETH") == []


@FEEDS
@pytest.mark.parametrize("characters", [1, 17, 25, 35, -3, -2, -1])
def test_a_line_is_a_bar_once_its_end_is_written(folder, spec, characters):
    feed = folder.open(spec)
    feed.fetch(at("11:59"))
    folder.clock.set("2026-11-30 12:01:10")
    whole = line("12:00", close="100.25")
    folder.append("BTC", whole[:characters])
    assert stamps(feed.fetch(at("11:59")), "BTC") == []
    folder.append("BTC", whole[characters:])
    folder.clock.set("2026-11-30 12:01:20")
    assert feed.fetch(at("11:59"))["close"].tolist() == [100.25]


@FEEDS
class TestBarWrittenBeforeItsEnd:
    """Its row may show a part of the bar."""

    @pytest.fixture
    def feed(self, folder, spec):
        feed = folder.open(spec)
        feed.fetch(at("11:59"))
        folder.clock.set("2026-11-30 12:00:22")
        folder.append("BTC", line("12:00", close="99.5"))
        folder.clock.set("2026-11-30 12:01:05")
        return feed

    def test_is_no_bar_while_the_file_is_as_it_was(self, folder, feed):
        for time in ("12:01:05", "12:01:30", "12:03:10"):
            folder.clock.set(f"2026-11-30 {time}")
            assert stamps(feed.fetch(at("11:59")), "BTC") == []

    def test_is_one_when_the_file_is_written_again(self, folder, feed):
        feed.fetch(at("11:59"))
        text = folder.file("BTC").read_text()
        folder.write("BTC", text.replace("99.5", "100.25"))
        folder.clock.set("2026-11-30 12:01:20")
        assert feed.fetch(at("11:59"))["close"].tolist() == [100.25]

    def test_is_one_when_a_later_bar_is_there(self, folder, feed):
        feed.fetch(at("11:59"))
        folder.clock.set("2026-11-30 12:01:40")
        folder.append("BTC", line("12:01"))
        folder.clock.set("2026-11-30 12:02:10")
        assert stamps(feed.fetch(at("11:59")), "BTC") == ["12:00"]


@FEEDS
@pytest.mark.parametrize(("second", "found"), [("12:00:59", []), ("12:01:00", ["12:00"])])
def test_only_the_file_that_has_the_bar_shows_when_it_was_written(folder, spec, second, found):
    """Another file of the symbol that is written later says nothing about it."""
    feed = folder.open(spec, pattern="{symbol}*")
    feed.fetch(at("11:59"))
    (folder.path / "bars" / "BTC.csv.2").write_text(HEADER + line("12:00"))
    folder.clock.set(f"2026-11-30 {second}")
    folder.stamp(folder.path / "bars" / "BTC.csv.2")
    folder.clock.set("2026-11-30 12:01:10")
    folder.write("BTC", HEADER + line("11:58") + line("11:59"))
    assert stamps(feed.fetch(at("11:59")), "BTC") == found


def test_a_daily_bar_is_whole_when_its_session_has_ended(folder):
    """Such files are written after the close, hours before the day ends in UTC."""
    days = "".join(f"2026-11-{day},100,101,99,100.5,12\n" for day in (24, 25, 27))
    feed = folder.open(interval="1d", calendar="XNYS")
    for symbol in ("BTC", "ETH"):
        folder.write(symbol, HEADER + days)
    found = []
    for written in ("17:59", "18:00"):  # the session of November 27th is a short one
        folder.clock.set(f"2026-11-27 {written}")
        folder.stamp(folder.file("BTC"))
        folder.clock.set("2026-11-28 00:00:10")
        bars = feed.fetch(pd.Timestamp("2026-11-24", tz="UTC"))
        found.append(bars.loc[bars["symbol"] == "BTC", "timestamp"].dt.day.tolist())
    assert found == [[25], [25, 27]]


def test_a_replaced_file_corrects_bars(folder):
    feed = folder.open()
    feed.fetch(at("11:58"))
    folder.write("BTC", HEADER + line("11:58") + line("11:59", close="99.5"))
    assert feed.fetch(at("11:58"))["close"].tolist() == [99.5, 100.5]


def test_a_file_that_goes_away_is_told_and_read_again_when_it_is_back(folder):
    feed = folder.open()
    feed.fetch(at("11:59"))
    text = folder.file("BTC").read_text()
    folder.file("BTC").unlink()
    folder.clock.set("2026-11-30 12:01:10")
    assert stamps(feed.fetch(at("11:59")), "BTC") == []
    assert "no file of BTC" in folder.progress.notices[-1]
    folder.write("BTC", text + line("12:00"))
    folder.clock.set("2026-11-30 12:01:20")
    assert stamps(feed.fetch(at("11:59")), "BTC") == ["12:00"]


def test_a_file_that_was_never_there_is_an_error(folder):
    folder.file("ETH").unlink()
    with pytest.raises(SourceError, match="no file of ETH"):
        folder.open().fetch(at("11:59"))


@pytest.mark.parametrize("pattern", ["{symbol}.csv", "{symbol}*"])
def test_a_pipe_in_place_of_a_file_is_named(folder, pattern):
    folder.file("ETH").unlink()
    os.mkfifo(folder.file("ETH"))
    with pytest.raises(SourceError, match=r"ETH\.csv (is |\()a pipe"):
        folder.open(pattern=pattern).fetch(at("11:59"))


def test_a_damaged_file_is_read_again_and_then_an_error(folder):
    packed = gzip.compress((HEADER + line("11:58") + line("11:59")).encode())
    for symbol in ("BTC", "ETH"):
        folder.file(symbol).with_suffix(".csv.gz").write_bytes(packed)
    feed = folder.open(pattern="{symbol}.csv.gz")
    assert stamps(feed.fetch(at("11:58")), "BTC") == ["11:59"]
    folder.file("BTC").with_suffix(".csv.gz").write_bytes(packed[: len(packed) // 2])
    for _ in range(2):
        assert stamps(feed.fetch(at("11:58")), "BTC") == ["11:59"]
        feed.wait(600.0)
    with pytest.raises(InvalidBarsError, match="cannot be read"):
        feed.fetch(at("11:58"))


def test_files_of_the_feed_may_be_others_than_those_of_the_dataset(folder):
    (folder.path / "live").mkdir()
    for symbol in ("BTC", "ETH"):
        (folder.path / "live" / f"{symbol}.txt").write_text(HEADER + line("11:59", close="99.9"))
    spec = FolderFeedSpec.model_validate({"files": {"path": "live", "pattern": "{symbol}.txt"}})
    assert set(folder.open(spec).fetch(at("11:58"))["close"]) == {99.9}
