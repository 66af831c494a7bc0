"""A feed of complete bars as lines of JSON."""

from __future__ import annotations

import json
import os

import pandas as pd
import pytest

from engine.core import limits
from engine.core.errors import InvalidBarsError
from engine.data.config import Dataset
from engine.data.manifests import DatasetManifest
from engine.data.sources import ClientSettings
from engine.live.feeds import StdinFeedSpec, open_feed
from tests.data.datasets import RecordingProgress
from tests.live.feeds.exchange import at, stamps
from tests.live.manual_clock import ManualClock


def bar(time: str, symbol: str = "BTC", **values: object) -> str:
    keys = {"symbol": symbol, "timestamp": f"2026-11-30T{time}:00Z"}
    prices = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5, "volume": 12.0}
    return json.dumps({**keys, **prices, **values}) + "\n"


LONGEST = 8_192


def times(bars):
    return stamps(bars, "BTC")


class Input:
    """Standard input, its feed and its clock, at half a minute past noon."""

    def __init__(self, tmp_path) -> None:
        self.reading, self.writing = os.pipe()
        self.clock = ManualClock("2026-11-30 12:00:30")
        self.progress = RecordingProgress()
        self.tmp_path = tmp_path

    def open(self, on_error="stop", **keys):
        source = {"kind": "files", "path": "bars"}
        dataset = Dataset(
            name="x",
            symbols=("BTC", "ETH"),
            sources=(source,),
            **{"interval": "1m", "calendar": "24/7", **keys},
        )
        return open_feed(
            StdinFeedSpec(on_error=on_error),
            DatasetManifest(dataset, self.tmp_path / "x.yaml"),
            home=self.tmp_path,
            clock=self.clock,
            progress=self.progress,
            clients=ClientSettings(),
            stdin=self.reading,
        )

    def write(self, *lines: str | bytes) -> None:
        for line in lines:
            os.write(self.writing, line if isinstance(line, bytes) else line.encode())

    def end(self) -> None:
        os.close(self.writing)
        self.writing = None

    def close(self) -> None:
        for descriptor in (self.reading, self.writing):
            if descriptor is not None:
                os.close(descriptor)


@pytest.fixture
def lines(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_FEED_LINE_BYTES", LONGEST)
    made = Input(tmp_path)
    yield made
    made.close()


def test_hands_out_the_bars_of_the_lines_in_order_of_time(lines):
    feed = lines.open()
    lines.write(bar("11:59"), bar("11:58", "ETH"), bar("11:58"), bar("11:59"))
    feed.wait(60.0)
    bars = feed.fetch(at("11:57"))
    assert times(bars) == ["11:58", "11:59"]
    assert bars["symbol"].tolist() == ["BTC", "ETH", "BTC"]
    assert not feed.is_exhausted


def test_a_line_is_a_bar_once_its_end_is_written(lines):
    feed = lines.open()
    lines.write(bar("11:59")[:-1])
    assert len(feed.fetch(at("11:58"))) == 0
    lines.write("\n")
    assert times(feed.fetch(at("11:58"))) == ["11:59"]


def test_the_end_of_the_input_is_its_end(lines):
    feed = lines.open()
    lines.write(bar("11:58"), bar("11:59").rstrip())
    lines.end()
    assert times(feed.fetch(at("11:57"))) == ["11:58", "11:59"]
    assert feed.is_exhausted
    assert times(feed.fetch(at("11:57"))) == ["11:58", "11:59"]


def test_a_later_line_corrects_a_bar(lines):
    feed = lines.open()
    lines.write(bar("11:59"), bar("11:59", close=99.5))
    assert feed.fetch(at("11:58"))["close"].tolist() == [99.5]


def test_a_line_may_have_a_close_alone(lines):
    feed = lines.open()
    none = dict.fromkeys(("open", "high", "low", "volume"))
    without = json.loads(bar("11:59"))
    lines.write(bar("11:58", **none), json.dumps({k: without[k] for k in without.keys() - none}))
    lines.end()
    bars = feed.fetch(at("11:57"))
    assert bars["close"].tolist() == [100.5, 100.5]
    assert bars[["open", "high", "low", "volume"]].isna().all(axis=None)


def test_a_bar_of_a_clock_that_is_ahead_is_held_until_its_end(lines):
    feed = lines.open()
    lines.write(bar("12:00"))
    lines.end()
    assert len(feed.fetch(at("11:59"))) == 0
    assert not feed.is_exhausted
    feed.wait(600.0)
    assert lines.clock.now() == at("12:01")
    assert times(feed.fetch(at("11:59"))) == ["12:00"]
    assert feed.is_exhausted


BAD_LINES = {
    "no JSON": "12:00 100 101\n",
    "half": '{"symbol": "BTC", "timestamp": \n',
    "a list": "[1, 2]\n",
    "empty": "\n",
    "text for a number": bar("11:58", close="100.5"),
    "no number": bar("11:58", close=None),
    "not finite": bar("11:58").replace("100.5", "NaN"),
    "beyond all numbers": bar("11:58").replace("100.5", "1e999"),
    "no price": bar("11:58", low=-1.0),
    "outside of its range": bar("11:58", high=100.2),
    "negative volume": bar("11:58", volume=-1.0),
    "no offset from UTC": bar("11:58", timestamp="2026-11-30T11:58:00"),
    "of the future": bar("12:10"),
    "another symbol": bar("11:58", symbol="BTX"),
    "another key": bar("11:58", volum=3.0),
    "a key too few": bar("11:58").replace('"high": 101.0, ', ""),
    "control characters": bar("11:58", symbol="\x1b[2J"),
    "no text": b"\xff\xfe\x00\n",
    "between two bars": bar("11:58", timestamp="2026-11-30T11:58:30Z"),
    "no volume": bar("11:58", volume=None),
    "a close alone": bar("11:58", open=None, high=None, low=None),
    "too long": b"x" * (LONGEST + 9) + b"\n",
    "too deep": b"[" * 5_000 + b"\n",
}


class TestBadLines:
    @pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES)
    def test_ends_the_run_with_its_number(self, lines, bad):
        feed = lines.open()
        lines.write(bar("11:57"), bad, bar("11:58"))
        assert times(feed.fetch(at("11:50"))) == ["11:57"]
        assert not feed.is_exhausted
        feed.wait(60.0)
        with pytest.raises(InvalidBarsError, match="line 2 of standard input is no bar") as error:
            feed.fetch(at("11:50"))
        parts = (error.value.expected, error.value.found, error.value.where, error.value.fix)
        assert all(parts)
        assert str(error.value).replace("\n", "").isprintable()
        for foreign in ("Input should", "valid number", "Invalid JSON", "at line", " days "):
            assert foreign not in str(error.value)
        assert feed.is_exhausted

    @pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES)
    def test_is_left_out_and_told_with_its_number(self, lines, bad):
        feed = lines.open(on_error="skip")
        lines.write(bar("11:57"), bad, bar("11:58"))
        assert times(feed.fetch(at("11:50"))) == ["11:57", "11:58"]
        [told] = lines.progress.notices
        assert told.startswith("line 2 of standard input is no bar, left out: expected ")

    def test_many_are_counted(self, lines):
        feed = lines.open(on_error="skip")
        lines.write(*["?\n"] * 1_234)
        lines.end()
        feed.fetch(at("11:50"))
        assert len(lines.progress.notices) == 10 + 2 + 1
        assert lines.progress.notices[-1] == "standard input: 1,234 lines left out"

    def test_a_guess_is_offered(self, lines):
        feed = lines.open()
        lines.write(BAD_LINES["another symbol"])
        feed.fetch(at("11:50"))
        with pytest.raises(InvalidBarsError, match="did you mean BTC"):
            feed.fetch(at("11:50"))


class TestBarThatBreaksAQualityRule:
    TEXTS = (bar("11:56"), bar("11:57"), bar("11:58", volume=0.0), bar("11:59"))

    def test_ends_the_run_after_the_bars_before(self, lines):
        feed = lines.open(quality={"zero_volume": "error"})
        lines.write(*self.TEXTS)
        assert times(feed.fetch(at("11:50"))) == ["11:56", "11:57"]
        with pytest.raises(InvalidBarsError, match="volume of 0"):
            feed.fetch(at("11:50"))
        assert feed.is_exhausted

    def test_is_left_out_and_told(self, lines):
        feed = lines.open(on_error="skip", quality={"zero_volume": "error"})
        lines.write(*self.TEXTS)
        assert times(feed.fetch(at("11:50"))) == ["11:56", "11:57", "11:59"]
        told = [text for text in lines.progress.notices if "left out" in text]
        assert len(told) == 1, lines.progress.notices
        assert "volume of 0, left out" in told[0]


@pytest.mark.parametrize(
    ("interval", "calendar", "opened", "is_bar"),
    [
        ("1h", "24/7", "2026-11-27T15:00:00Z", True),
        ("1h", "24/7", "2026-11-27T15:30:00Z", False),
        ("4h", "24/7", "2026-11-27T07:00:00Z", True),  # daylight saving moves it by an hour
        ("4h", "24/7", "2026-11-27T06:00:00Z", False),
        ("1h", "XNYS", "2026-11-27T14:30:00Z", True),  # counted from the open of the session
        ("1h", "XNYS", "2026-11-27T14:45:00Z", False),
        ("1d", "XNYS", "2026-11-27T00:00:00Z", True),
        ("1d", "XNYS", "2026-11-27T14:30:00Z", False),
    ],
)
def test_the_first_line_is_on_the_grid_of_the_account(lines, interval, calendar, opened, is_bar):
    feed = lines.open(on_error="skip", interval=interval, calendar=calendar)
    lines.write(bar("00:00", timestamp=opened))
    assert len(feed.fetch(pd.Timestamp("2026-11-24", tz="UTC"))) == is_bar


def test_a_minute_that_is_missing_among_few_stops_nothing(lines):
    feed = lines.open()
    lines.write(bar("11:57"), bar("11:59"))
    assert times(feed.fetch(at("11:50"))) == ["11:57", "11:59"]


def minutes_of(symbol: str, count: int, first: int = 0) -> list[str]:
    """Lines of a symbol from a minute of November on."""
    start = pd.Timestamp("2026-11-01", tz="UTC")
    stamps_of = (start + pd.Timedelta(minutes=number) for number in range(first, first + count))
    return [bar("00:00", symbol, timestamp=stamp.isoformat()) for stamp in stamps_of]


def feed_through(lines, feed, texts, after) -> list[pd.DataFrame]:
    """Writes lines as far as the pipe takes them, and fetches, until no more is taken."""
    rest, found = "".join(texts).encode(), []
    os.set_blocking(lines.writing, False)
    while rest:
        try:
            rest = rest[os.write(lines.writing, rest[:65_536]) :]
        except BlockingIOError:
            break
        found.append(feed.fetch(after))
    return found


class TestBacklog:
    """Many lines that are there at once."""

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        monkeypatch.setattr(limits, "MAX_WAITING_BARS", 300)
        monkeypatch.setattr(limits, "MAX_INCOMPLETE_BARS", 1_000)

    def test_no_more_is_read_than_is_used(self, lines):
        """Where bars come faster than they are decided, the pipe fills and not the memory."""
        feed = lines.open()
        pairs = zip(minutes_of("BTC", 4_000), minutes_of("ETH", 4_000), strict=True)
        texts = [line for pair in pairs for line in pair]
        bars = feed_through(lines, feed, texts, at("00:00") - pd.Timedelta(days=40))[-1]
        assert 300 <= len(bars) < 2_000

    def test_a_symbol_after_the_other_is_aligned(self, lines):
        """BTC alone is more than may wait for a decision, and waits for ETH."""
        feed = lines.open()
        long_ago = at("00:00") - pd.Timedelta(days=40)
        feed_through(lines, feed, minutes_of("BTC", 700), long_ago)
        bars = feed_through(lines, feed, minutes_of("ETH", 100), long_ago)[-1]
        assert bars["symbol"].value_counts().to_dict() == {"BTC": 700, "ETH": 100}

    def test_a_symbol_that_never_comes_stops_nothing_and_is_told(self, lines):
        feed = lines.open()
        texts = minutes_of("BTC", 2_300)
        bars = feed_through(lines, feed, texts, at("00:00") - pd.Timedelta(days=40))[-1]
        assert len(bars) == 2_000
        assert bars["timestamp"].iloc[-1] == pd.Timestamp("2026-11-02 14:19", tz="UTC")
        [told] = [text for text in lines.progress.notices if "given up" in text]
        assert "wait for ETH" in told

    def test_a_wait_lasts_while_nobody_takes_what_is_there(self, lines):
        feed = lines.open()
        lines.write(bar("11:59"))
        feed.wait(5.0)
        assert lines.clock.now() == at("12:00:30")
        feed.wait(5.0)
        assert lines.clock.now() == at("12:00:35")
