"""Each message is one line, whole and once, whatever ended the process before."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.core.errors import StorageError, UsageError
from engine.live.sinks.json_lines import FileSink, StdoutSink
from engine.live.sinks.message import to_json_line
from engine.live.sinks.sink import DeliveryError
from tests.live.sinks.journals import file_size_limit, make_message

if TYPE_CHECKING:
    from pathlib import Path

NOW = pd.Timestamp("2026-02-01", tz="UTC")
FIRST, SECOND = make_message(0), make_message(1)
LINE = to_json_line(FIRST)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "signals.jsonl"


def keys_in(path: Path) -> list[str]:
    text = path.read_text()
    assert text.endswith("\n")
    return [json.loads(line)["key"] for line in text.splitlines()]


def test_lines_are_appended_to_a_file_of_the_owner_alone(path) -> None:
    sink = FileSink(path)
    sink.send(FIRST, NOW)
    sink.send(SECOND, NOW)
    assert keys_in(path) == [FIRST.key, SECOND.key]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_message_that_the_file_has_is_not_written_again_by_the_next_process(path) -> None:
    FileSink(path).send(FIRST, NOW)
    FileSink(path).send(FIRST, NOW)
    FileSink(path).send(SECOND, NOW)
    assert keys_in(path) == [FIRST.key, SECOND.key]


@pytest.mark.parametrize("length", [1, 5, len('{"account":"'), 60, len(LINE) - 1, len(LINE)])
def test_a_torn_line_is_replaced(path, length) -> None:
    FileSink(path).send(FIRST, NOW)
    with path.open("a") as file:
        file.write(to_json_line(SECOND)[:length])
    FileSink(path).send(SECOND, NOW)
    assert keys_in(path) == [FIRST.key, SECOND.key]


@pytest.mark.parametrize("zeros", [1, 4096])
def test_zeros_of_a_power_failure_are_replaced(path, zeros) -> None:
    path.write_bytes(LINE.encode()[:40] + bytes(zeros))
    FileSink(path).send(FIRST, NOW)
    assert keys_in(path) == [FIRST.key]


@pytest.mark.parametrize(
    "text",
    [
        "a note",
        '{"other": 1}',
        "line\nnote",
        "name: ridge\n",
        '{"other": 1}\n',
        "\n",
        "x" * 5_000_000,
    ],
)
def test_the_text_of_another_program_is_not_touched(path, text) -> None:
    path.write_text(text)
    with pytest.raises(UsageError, match="no sink wrote"):
        FileSink(path)
    assert path.read_text() == text


def test_lines_of_other_programs_before_those_of_a_sink_stay(path) -> None:
    others = f'not JSON {SECOND.key}\n[1]\n{{"key": 5}}\n'
    path.write_text(f"{others}{LINE}\n")
    FileSink(path).send(SECOND, NOW)
    assert path.read_text() == f"{others}{LINE}\n{to_json_line(SECOND)}\n"


def test_a_rotated_file_is_created_again(path) -> None:
    sink = FileSink(path)
    sink.send(FIRST, NOW)
    path.rename(path.with_suffix(".1"))
    sink.send(SECOND, NOW)
    assert keys_in(path) == [SECOND.key]


def test_a_full_disk_leaves_the_file_as_it_was_and_the_message_pending(path) -> None:
    sink = FileSink(path)
    sink.send(FIRST, NOW)
    with file_size_limit(path.stat().st_size + 20), pytest.raises(DeliveryError, match="EFBIG"):
        sink.send(SECOND, NOW)
    assert keys_in(path) == [FIRST.key]
    sink.send(SECOND, NOW)
    assert keys_in(path) == [FIRST.key, SECOND.key]


def test_a_place_that_is_no_file_is_told_when_the_sink_is_opened(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", tmp_path / "none" / "file"):
        with pytest.raises(StorageError):
            FileSink(place)


def test_two_sinks_of_one_file_write_whole_lines(path) -> None:
    def send_all(first: int) -> None:
        sink = FileSink(path)
        for number in range(first, first + 20):
            sink.send(make_message(number, text="x" * 5_000), NOW)

    threads = [threading.Thread(target=send_all, args=[first]) for first in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys_in(path))) == 40


def test_standard_output_has_a_line_a_message(capfd) -> None:
    sink = StdoutSink()
    sink.send(FIRST, NOW)
    sink.send(make_message(1, text="\x1b[31m ünï\ncode \u202e"), NOW)
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == LINE
    assert json.loads(lines[1])["text"] == "\x1b[31m ünï\ncode \u202e"
    assert lines[1].isascii()
    assert lines[1].isprintable()


def test_a_pipe_that_nobody_reads_any_more_is_a_failed_attempt() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(DeliveryError, match="EPIPE"):
        StdoutSink(writing).send(FIRST, NOW)
    os.close(writing)
