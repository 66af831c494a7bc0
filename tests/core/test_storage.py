"""Files that are complete or as they were, and one error for every fault of a disk."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import StorageError
from engine.core.storage import (
    create_private_folder,
    find_disk_fault,
    replace_atomically,
    storage_error,
    translate_disk_faults,
    write_file,
)

if TYPE_CHECKING:
    from pathlib import Path

DISK_FAULTS = (
    *("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "ENAMETOOLONG", "EISDIR"),
    *("ENOTDIR", "ELOOP", "EFBIG", "ENOENT", "EEXIST", "ENOTEMPTY", "EMFILE", "ESTALE"),
)


def fault(symbol: str, path: str | None = None) -> OSError:
    number = getattr(errno, symbol)
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize("symbol", DISK_FAULTS)
def test_every_fault_of_a_disk_has_four_parts_and_exit_code_2(symbol: str) -> None:
    with pytest.raises(StorageError) as caught, translate_disk_faults("x", "out", "use --out"):
        raise fault(symbol, "out/table.parquet")
    error = caught.value
    assert error.exit_code == 2
    assert symbol in error.found
    assert "out/table.parquet" in error.found
    assert error.where == "out"
    assert error.fix.endswith(", or use --out")
    assert error.expected
    assert find_disk_fault(fault(symbol)) is not None


@pytest.mark.parametrize(
    "error", [ConnectionResetError(104, "reset"), TimeoutError(110, "slow"), BrokenPipeError()]
)
def test_faults_of_a_network_are_not_those_of_a_disk(error: OSError) -> None:
    assert find_disk_fault(error) is None
    with pytest.raises(type(error)), translate_disk_faults("x", "out"):
        raise error


def test_other_errors_are_not_disk_faults() -> None:
    assert find_disk_fault(ValueError("x")) is None
    assert find_disk_fault(OSError("without a number")) is None


def test_a_fault_without_advice_of_its_own_says_how_to_go_on() -> None:
    assert "readable and writable" in storage_error("x", "out", OSError("odd"), "").fix


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_file(path, "before")

    def fail() -> None:
        with replace_atomically(path) as draft:
            draft.write_text("half")
            raise fault("ENOSPC")

    with pytest.raises(OSError, match="No space left"):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replaced_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    path, link = tmp_path / "strategy.yaml", tmp_path / "link.yaml"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    write_file(link, "after")
    assert link.is_symlink()
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_folder_of_that_name_stays(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path / "page.html", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_private_folder_is_its_owners_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_private_folder(tmp_path / "new" / "home")
    finally:
        os.umask(before)
    for folder in (tmp_path / "new", tmp_path / "new" / "home"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    create_private_folder(tmp_path / "fits")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_file_in_the_way_of_a_private_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(OSError, match="file"):
            create_private_folder(folder)
