"""Ed25519 keys from files: private ones of OpenSSH or PEM, and public ones."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from engine.core.errors import UsageError
from engine.core.limits import MAX_SUMS_BYTES
from engine.core.read_file import read_bytes
from engine.core.storage import translate_disk_faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO
_OPENSSH_BEGIN = b"-----BEGIN OPENSSH PRIVATE KEY-----"


def create_private_key(path: Path) -> Ed25519PrivateKey:
    """Creates a key as `ssh-keygen -t ed25519` does, without a passphrase, of mode 600.

    The public key is written beside it, to `PATH.pub`.

    Raises:
        UsageError: There is a file of either name.
        StorageError: It cannot be written.
    """
    public_path = path.with_name(f"{path.name}.pub")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    with translate_disk_faults("the key cannot be written", path, "name another file"):
        try:
            _write_new(path, private, 0o600)
            _write_new(public_path, format_public_key(key.public_key()).encode() + b"\n", 0o644)
        except FileExistsError as error:
            raise UsageError(
                "a key is not written over a file",
                expected="the name of a new file",
                found=str(error.filename),
                where="--create-key",
                fix="leave --create-key out to use the key in it, or name another file",
            ) from None
    return key


def load_private_key(path: Path, ask_passphrase: Callable[[], str]) -> Ed25519PrivateKey:
    """Reads a private key that nobody else may read.

    Args:
        path: An OpenSSH private key, or PEM.
        ask_passphrase: Is called where the key has a passphrase.

    Raises:
        UsageError: There is no such file, others may read it, it is no Ed25519 key, or the
            passphrase is wrong.
    """
    content = _read(path, "a private key")
    mode = path.stat().st_mode
    if os.name == "posix" and mode & _OTHERS_MAY:
        raise UsageError(
            "others may read this private key",
            expected="a file of mode 600",
            found=f"mode {stat.S_IMODE(mode):o}",
            where=str(path),
            fix=f"chmod 600 {path}",
        )
    try:
        key = _parse_private(content, None)
    except TypeError:  # it has a passphrase
        try:
            key = _parse_private(content, ask_passphrase().encode())
        except UnsupportedAlgorithm as error:
            raise UsageError(
                "this installation cannot decrypt the key",
                expected="the package bcrypt, for OpenSSH keys with a passphrase",
                found=str(error),
                where=str(path),
                fix="pip install 'backtest-engine[sign]'",
            ) from error
        except (ValueError, TypeError) as error:
            raise _no_key(path, "an Ed25519 key, and its passphrase", str(error)) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(path, "an Ed25519 private key of OpenSSH, or PEM", str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "an Ed25519 key", type(key).__name__)
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Reads a public key, as `ssh-keygen` writes it, or PEM.

    Raises:
        UsageError: There is no such file, or it is no Ed25519 public key.
    """
    content = _read(path, "a public key").strip()
    try:
        if content.startswith(b"-----BEGIN"):
            key = serialization.load_pem_public_key(content)
        else:
            key = serialization.load_ssh_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(path, "an Ed25519 public key, as in `key.pub`", str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "an Ed25519 key", type(key).__name__)
    return key


def parse_public_key(text: str) -> Ed25519PublicKey:
    """The key of a line `ssh-ed25519 AAAA...`.

    Raises:
        ValueError: It is no such line.
    """
    try:
        key = serialization.load_ssh_public_key(text.encode())
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("no Ed25519 key")
    return key


def format_public_key(key: Ed25519PublicKey) -> str:
    """The line `ssh-ed25519 AAAA...`."""
    return key.public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    ).decode()


def fingerprint(key: Ed25519PublicKey) -> str:
    """As `ssh-keygen -l` prints it: `SHA256:` and 43 characters."""
    blob = base64.b64decode(format_public_key(key).split()[1])
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def _parse_private(content: bytes, passphrase: bytes | None) -> object:
    if content.startswith(_OPENSSH_BEGIN):
        return serialization.load_ssh_private_key(content, passphrase)
    return serialization.load_pem_private_key(content, passphrase)


def _read(path: Path, what: str) -> bytes:
    try:
        return read_bytes(path, max_bytes=MAX_SUMS_BYTES, what=what)
    except OSError as error:
        raise UsageError(
            f"{what} cannot be read",
            expected="the path of a file",
            found=error.strerror or str(error),
            where=str(path),
        ) from error


def _write_new(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _no_key(path: Path, expected: str, found: str) -> UsageError:
    return UsageError(
        "this is no key that a run can be signed with",
        expected=expected,
        found=found.splitlines()[0] if found else "something else",
        where=str(path),
        fix="make one: ssh-keygen -t ed25519, or backtest sign RUN --key FILE --create-key",
    )
