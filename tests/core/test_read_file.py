"""Files that a user names are read within a bound, and never waited for."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

import engine
from engine.core.errors import DataError, UsageError
from engine.core.read_file import open_regular, read_bytes


def test_a_file_of_at_most_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_bytes(tmp_path / "file", max_bytes=5, what="a file of five bytes") == b"12345"


def test_a_larger_file_is_refused_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"123456")
    with pytest.raises(DataError, match="too large for a strategy") as caught:
        read_bytes(tmp_path / "file", max_bytes=5, what="a strategy", error=DataError)
    assert caught.value.expected == "at most 5 bytes"
    assert caught.value.found == "6 bytes or more"
    assert caught.value.where == str(tmp_path / "file")


def test_a_large_file_without_content_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UsageError, match="too large"):
        read_bytes(tmp_path / "file", max_bytes=1000, what="a strategy")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes with a path")
def test_a_pipe_a_socket_and_a_device_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    kinds = {tmp_path / "pipe": "a pipe", Path(os.devnull): "a device"}
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)  # the path of a socket is short
        listener.bind("socket")
        for path, kind in (kinds | {Path("socket"): "a socket"}).items():
            with pytest.raises(UsageError, match=f"{kind} cannot be read as a strategy") as caught:
                open_regular(path, "a strategy")
            assert caught.value.expected == "a regular file"
            assert "write its content to a file" in caught.value.fix


def test_a_link_to_a_regular_file_is_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link", max_bytes=1, what="a file") == b"x"


@pytest.mark.parametrize("name", ["absent", "a\0b", "x" * 300])
def test_a_path_that_names_no_file_is_an_error_of_the_system(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match=r"No such file|null character|too long"):
        read_bytes(tmp_path / name, max_bytes=1, what="a file")


def test_a_folder_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path, max_bytes=1, what="a file")


OWN_FILES = {
    "core/part_origin.py": "the source of a class that is imported already",
    "core/read_file.py": "the function itself",
    "cli/completion.py": "the schema that is shipped",
    "data/fetch/funding.py": "the cache of rates",
    "data/sources/bundled.py": "the bars that a library ships",
    "data/sources/exchange/_checkpoint.py": "the part of a history that was received",
    "data/sources/files/_content.py": "opened by the function before",
    "data/store/cache.py": "the cache of bars",
    "data/store/file_lock.py": "the lock of the cache",
    "live/paper/account_history.py": "the bars that a paper account was started with",
    "placebo/finished_markets.py": "the markets that a placebo has finished",
    "reporting/quantstats_process.py": "the log of its own process",
    "reporting/quantstats_worker.py": "the page of its own process",
    "training/executors/local.py": "the log of its own process",
    "training/store.py": "the store of fits",
    "trials/ledger_wait.py": "the locks of the system",
    "trials/liveness.py": "the processes of the system",
}
"""Modules that read files which no user names, and what those are."""


def test_files_that_a_user_names_are_read_by_one_function() -> None:
    root = Path(engine.__file__).parent
    reading = re.compile(
        r"\.read_text\(|\.read_bytes\(|\.open\(\"r|(?<=[ =(])(?<!def )open\(|read_parquet\(path"
        r"|pd\.read_csv\((?!\s*io\.)|np\.load\((?!io\.)"
    )
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8"))
    }
    assert found <= OWN_FILES.keys()
