"""The hashes of a run folder are those of its files, in the form of coreutils."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import UsageError
from engine.runs.sums import (
    SIGNATURE_FILE,
    SUMS_FILE,
    find_file_differences,
    read_sums,
    renew_sums,
    write_sums,
)

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"b.json": b"{}\n", "a.parquet": b"table", "page.html": b"<p>"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    write_sums(tmp_path)
    return tmp_path


def kinds(folder: Path) -> dict[str, str]:
    return {each.name: each.kind for each in find_file_differences(folder)}


def test_every_file_has_a_line_and_none_differs(folder: Path) -> None:
    assert (folder / SUMS_FILE).read_text() == "".join(
        f"{hashlib.sha256(FILES[name]).hexdigest()}  {name}\n" for name in sorted(FILES)
    )
    assert kinds(folder) == {}


def test_the_sums_and_their_signature_have_none(folder: Path) -> None:
    (folder / SIGNATURE_FILE).write_text("signed")
    write_sums(folder)
    assert set(read_sums(folder)) == set(FILES)
    assert kinds(folder) == {}


def test_changed_removed_and_added_files_are_found(folder: Path) -> None:
    (folder / "b.json").write_text("[]\n")
    (folder / "a.parquet").unlink()
    (folder / "c").write_text("")
    assert kinds(folder) == {"a.parquet": "removed", "b.json": "changed", "c": "added"}


def test_a_link_and_a_folder_are_no_files_of_a_run(folder: Path) -> None:
    (folder / "b.json").rename(folder.parent / "elsewhere.json")
    (folder / "b.json").symlink_to(folder.parent / "elsewhere.json")
    (folder / "more").mkdir()
    assert kinds(folder) == {"b.json": "unreadable", "more": "unreadable"}


def test_only_the_named_files_are_noted_anew(folder: Path) -> None:
    for name in ("page.html", "b.json"):
        (folder / name).write_text("other")
    (folder / "new.html").write_text("drawn")
    assert renew_sums(folder, ["page.html", "new.html"])
    assert kinds(folder) == {"b.json": "changed"}


def test_a_folder_without_sums_gets_none(folder: Path) -> None:
    (folder / SUMS_FILE).unlink()
    assert not renew_sums(folder, ["page.html"])
    assert not (folder / SUMS_FILE).exists()


@pytest.mark.parametrize(
    "text",
    [
        "nothing\n",
        f"{'0' * 64} one-space\n",
        f"{'0' * 64}  ../a\n",
        f"{'0' * 63}g  a\n",
        f"{'0' * 64}  a\n{'0' * 64}  a\n",
        f"{'0' * 64}  {SUMS_FILE}\n",
    ],
)
def test_lines_that_are_no_sums_are_refused(folder: Path, text: str) -> None:
    (folder / SUMS_FILE).write_text(text)
    with pytest.raises(UsageError, match="cannot be read"):
        read_sums(folder)
