"""A signature is of the hashes of a folder, by a key that nobody else may read."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import UsageError, VerificationError
from engine.runs.sums import SIGNATURE_FILE, SUMS_FILE, write_sums
from engine.verification.keys import create_private_key, load_private_key, load_public_key
from engine.verification.signature import check_signature, sign_folder

if TYPE_CHECKING:
    from pathlib import Path

    from engine.verification.result import StepResult


def no_passphrase() -> str:
    raise AssertionError("a key without a passphrase asks for none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a run do not matter here, only their hashes."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "manifest.json").write_text("{}\n")
    write_sums(run)
    return run


@pytest.fixture
def key(tmp_path: Path) -> Path:
    create_private_key(tmp_path / "key")
    return tmp_path / "key"


def sign(folder: Path, key: Path) -> str:
    return sign_folder(folder, load_private_key(key, no_passphrase))


def check(folder: Path, signer: Path | None = None) -> StepResult:
    step = check_signature(folder, signer)
    assert step is not None
    return step


def problem(step: StepResult) -> str:
    assert step.status == "differs"
    assert step.difference is not None
    return step.difference.problem


def test_a_signed_folder_is_signed_by_that_key(folder: Path, key: Path) -> None:
    assert check_signature(folder, None) is None
    signed_by = sign(folder, key)
    assert (folder / SIGNATURE_FILE).read_text().splitlines()[0] == "algorithm: ed25519"
    assert check(folder, key.with_name("key.pub")).status == "ok"
    assert signed_by in check(folder).compared
    assert "whoever that is" in check(folder).compared


def test_a_folder_without_a_signature_is_not_signed_by_a_signer(folder: Path, key: Path) -> None:
    assert problem(check(folder, key.with_name("key.pub"))) == "no signature"


def test_a_file_changed_with_its_hash_is_found(folder: Path, key: Path) -> None:
    sign(folder, key)
    (folder / "manifest.json").write_text("[]\n")
    write_sums(folder)
    assert "not of these" in problem(check(folder))


def test_a_signature_by_another_key_is_found(folder: Path, key: Path, tmp_path: Path) -> None:
    create_private_key(tmp_path / "other")
    sign(folder, tmp_path / "other")
    assert check(folder).status == "ok"
    assert problem(check(folder, key.with_name("key.pub"))) == "another key"


@pytest.mark.parametrize("part", ["algorithm", "public-key", "signature"])
def test_a_changed_line_of_the_signature_is_found(folder: Path, key: Path, part: str) -> None:
    sign(folder, key)
    lines = (folder / SIGNATURE_FILE).read_text().splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith(part))
    line = lines[place]
    lines[place] = line[:-9] + ("A" if line[-9] != "A" else "B") + line[-8:]
    (folder / SIGNATURE_FILE).write_text("\n".join(lines) + "\n")
    assert check(folder).status == "differs"


def test_a_folder_that_was_changed_is_not_signed(folder: Path, key: Path) -> None:
    (folder / "manifest.json").write_text("[]\n")
    with pytest.raises(VerificationError, match="not signed"):
        sign(folder, key)
    assert not (folder / SIGNATURE_FILE).exists()
    (folder / SUMS_FILE).unlink()
    with pytest.raises(UsageError, match="no hashes"):
        sign(folder, key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_may_read_is_refused(key: Path, mode: int) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(mode)
    with pytest.raises(UsageError, match="others may read"):
        load_private_key(key, no_passphrase)


def test_a_key_is_not_written_over_a_file(key: Path) -> None:
    before = key.read_bytes()
    with pytest.raises(UsageError, match="not written over"):
        create_private_key(key)
    assert key.read_bytes() == before


@pytest.mark.parametrize("content", ["", "no key", "ssh-ed25519 AAAA"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "file"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(UsageError, match="no key"):
        load_private_key(file, no_passphrase)
    with pytest.raises(UsageError, match="no key"):
        load_public_key(file)
    with pytest.raises(UsageError, match="cannot be read"):
        load_public_key(tmp_path / "absent")


def test_a_key_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    other, file = generate_private_key(SECP256R1()), tmp_path / "ecdsa"
    file.write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    file.chmod(0o600)
    with pytest.raises(UsageError, match="no key"):
        load_private_key(file, no_passphrase)


def test_a_key_with_a_passphrase_asks_for_it(folder: Path, key: Path) -> None:
    private = load_private_key(key, no_passphrase)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(UsageError, match="no key"):
        load_private_key(key, lambda: "wrong")
    sign_folder(folder, load_private_key(key, lambda: "secret"))
    assert check(folder, key.with_name("key.pub")).status == "ok"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
def test_keys_are_those_of_openssh(folder: Path, key: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(theirs)], check=True)
    signed_by = sign(folder, theirs)
    assert check(folder, theirs.with_name("theirs.pub")).status == "ok"
    for file in (theirs, key):
        told = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(file)], check=True, capture_output=True, text=True
        )
        assert (signed_by in told.stdout) is (file == theirs)


def test_the_command_creates_a_key_and_says_what_a_signature_says(
    folder: Path, tmp_path: Path
) -> None:
    key = tmp_path / "new"
    told = CliRunner().invoke(app, ["sign", str(folder), "--key", str(key), "--create-key"])
    assert told.exit_code == 0
    assert "It does not say when" in told.stdout
    assert check(folder, tmp_path / "new.pub").status == "ok"
    again = CliRunner().invoke(app, ["sign", str(folder), "--key", str(key), "--create-key"])
    assert again.exit_code == 2
