"""Secrets are read from variables and from files that nobody else can use, and are never shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import UsageError
from engine.live.sinks.secret import MAX_SECRET_BYTES, read_secret
from tests.live.sinks.journals import MARKER

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{MARKER}\n")
    path.chmod(0o600)
    return path


def refusal_of(file: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read_secret("the key", None, str(file), {})
    assert MARKER not in f"{caught.value}{caught.value.__dict__}"
    return caught.value


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owner_alone(file, mode) -> None:
    file.chmod(mode)
    secret = read_secret("the key", None, str(file), {})
    assert secret.get_secret_value() == MARKER
    assert MARKER not in f"{secret}{secret!r}"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o660, 0o601])
def test_a_file_that_others_may_use_is_refused_with_the_fix(file, mode) -> None:
    file.chmod(mode)
    refusal = refusal_of(file)
    assert (refusal.found, refusal.fix) == (f"mode {mode:o}", f"chmod 600 {file}")


def test_the_mode_is_that_of_the_target_of_a_link(file, tmp_path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read_secret("the key", None, str(link), {}).get_secret_value() == MARKER
    file.chmod(0o644)
    assert refusal_of(link).found == "mode 644"


def test_a_file_of_another_user_is_refused(file, monkeypatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert refusal_of(file).found == f"a file of user {owner}"


def test_what_is_no_file_is_refused_at_once(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert refusal_of(tmp_path / "pipe").found == "no regular file"
    assert refusal_of(tmp_path).found == "no regular file"
    assert refusal_of(tmp_path / "none").found == "No such file or directory"


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"\n", b"\n\n", f"{MARKER}\n{MARKER}".encode(), f"{MARKER}\x00".encode()),
        *(b"\xff" + MARKER.encode(), MARKER.encode() * MAX_SECRET_BYTES),
    ],
)
def test_a_file_has_one_line_of_text(file, raw) -> None:
    file.write_bytes(raw)
    refusal_of(file)


def test_a_variable() -> None:
    assert read_secret("the key", "KEY", None, {"KEY": MARKER}).get_secret_value() == MARKER


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}, {"KEY": f"{MARKER}\n{MARKER}"}])
def test_a_variable_that_is_missing_or_empty_is_told_by_its_name(environment) -> None:
    with pytest.raises(UsageError, match="KEY") as caught:
        read_secret("the key", "KEY", None, environment)
    assert MARKER not in f"{caught.value}{caught.value.__dict__}"
