"""What a command will write is tried before any work, and nothing is left of the trial."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import pytest

from engine.core.errors import StorageError
from engine.core.writable import MIN_FREE_BYTES, PROBE_BYTES, OutputPlace

PLACE = OutputPlace("the folder of the runs", "name another folder with --out")


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def obstacles(tmp_path: Path) -> Path:
    """A folder with everything that can be where a folder should be."""
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("file", "ENOTDIR"),
        ("file/below", "ENOTDIR"),
        ("file/far/below", "ENOTDIR"),
        ("dangling", "ENOENT"),
        ("dangling/below", "ENOENT"),
        ("loop", "ELOOP"),
        ("loop/below", "ELOOP"),
        ("n" * 300, "ENAMETOOLONG"),
        ("folder/" + "ü" * 200, "ENAMETOOLONG"),
        ("n/" * 2500, "ENAMETOOLONG"),
    ],
)
def test_what_cannot_be_a_folder_is_refused_with_the_reason(obstacles, path, symbol) -> None:
    before = tree(obstacles)
    with pytest.raises(StorageError, match="folder of the runs cannot be written") as caught:
        PLACE.require_folder(obstacles / path)
    assert symbol in caught.value.found
    assert caught.value.where == str(obstacles / path)
    assert caught.value.fix.endswith("or name another folder with --out")
    assert tree(obstacles) == before


@pytest.mark.parametrize("folder", ["/proc/self/out", "/dev/null", "/dev/null/out"])
def test_what_is_no_file_system_for_files_is_refused(folder: str) -> None:
    with pytest.raises(StorageError):
        PLACE.require_folder(Path(folder))


@pytest.mark.parametrize("folder", [".", "folder", "new", "new/and/deep"])
def test_a_folder_that_is_there_or_can_be_created_passes_and_is_not_created(
    obstacles, folder
) -> None:
    before = tree(obstacles)
    PLACE.require_folder(obstacles / folder, "run/metrics.json")
    assert tree(obstacles) == before


def test_names_inside_count_for_the_limits(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        PLACE.require_folder(tmp_path, "n" * 256)
    assert "ENAMETOOLONG" in caught.value.found
    with pytest.raises(StorageError):
        PLACE.require_folder(tmp_path / "/".join(["n" * 200] * 20), "n" * 200)


def place_with_free(free: int) -> OutputPlace:
    return OutputPlace("the folder of the runs", "name another", free_bytes=lambda _: free)


def test_below_the_least_free_space_nothing_begins(tmp_path: Path) -> None:
    place_with_free(MIN_FREE_BYTES).require_folder(tmp_path)
    with pytest.raises(StorageError) as caught:
        place_with_free(MIN_FREE_BYTES - 1).require_folder(tmp_path)
    assert caught.value.found == "1,048,575 bytes free"
    assert caught.value.expected == "at least 1,048,576 bytes free"
    assert caught.value.fix.startswith("free some space")


def test_an_estimate_warns_and_refuses_nothing(tmp_path: Path) -> None:
    assert place_with_free(5_000_000).warn_if_small(tmp_path / "new", 5_000_000) is None
    warning = place_with_free(5_000_000).warn_if_small(tmp_path / "new", 12_000_000)
    assert warning is not None
    assert "5 MB are free" in warning
    assert "12 MB" in warning


def test_a_disk_that_does_not_tell_its_free_space_gives_no_warning(tmp_path: Path) -> None:
    def refuse(folder: Path) -> int:
        raise OSError(errno.EIO, "Input/output error", str(folder))

    place = OutputPlace("the folder", "", free_bytes=refuse)
    assert place.warn_if_small(tmp_path, 10**18) is None
    with pytest.raises(StorageError, match="cannot be written"):
        place.require_folder(tmp_path)


def test_a_limit_on_the_size_of_files_is_found_by_writing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PROBE_BYTES // 2, hard))
    try:
        with pytest.raises(StorageError) as caught:
            PLACE.require_folder(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "EFBIG" in caught.value.found
    assert "ulimit -f" in caught.value.fix
    assert not list(tmp_path.iterdir())


class TestFile:
    def test_a_new_file_and_one_that_can_be_replaced_pass_untouched(self, obstacles) -> None:
        before = tree(obstacles)
        PLACE.require_file(obstacles / "new.csv")
        (obstacles / "file").write_text("kept")
        PLACE.require_file(obstacles / "file")
        assert (obstacles / "file").read_text() == "kept"
        assert tree(obstacles) == before

    @pytest.mark.parametrize(
        ("path", "symbol"),
        [
            ("folder", "EISDIR"),
            ("missing/new.csv", "ENOENT"),
            ("file/new.csv", "ENOTDIR"),
            ("loop", "ELOOP"),
            ("n" * 300, "ENAMETOOLONG"),
        ],
    )
    def test_what_cannot_be_a_file_is_refused(self, obstacles, path, symbol) -> None:
        with pytest.raises(StorageError) as caught:
            PLACE.require_file(obstacles / path)
        assert symbol in caught.value.found

    def test_a_device_is_no_place_to_try(self) -> None:
        PLACE.require_file(Path("/dev/null"))
