"""Secrets from the environment or from files that nobody else can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from engine.config import HIDDEN_VALUE
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SECRET_BYTES = 16_384

_OTHERS_MODE = 0o077


def read_secret(
    what: str, variable: str | None, file: str | None, environment: Mapping[str, str]
) -> SecretStr:
    """The secret in an environment variable or, where none is named, in a file.

    Args:
        what: What it is, for messages: `the address of the sink alerts`.
        variable: Name of the variable.
        file: Path of the file: regular, of the user that asks, and with no permission for others
            (mode 600 or 400). A line break at its end is not part of the secret.
        environment: The variables.

    Raises:
        UsageError: There is no such variable or file, it is empty or not one line of text, or
            others may use the file. The value is in no message.
    """
    if variable is not None:
        where = f"environment variable {variable}"
        text = environment.get(variable)
        if text is None:
            raise UsageError(
                f"{what} is missing",
                expected="a variable with the secret",
                found="no variable of that name",
                where=where,
                fix=f"export {variable}=... before the command, or in the unit that starts it",
            )
    else:
        where = f"file {file}"
        text = _read_private_text(what, Path(file or ""))
    text = text.rstrip("\r\n")
    if not text or not text.isprintable():
        raise UsageError(
            f"{what} is not usable",
            expected="one line of printable text",
            found="nothing" if not text else HIDDEN_VALUE,
            where=where,
            fix="store the secret alone, in UTF-8, without quotes",
        )
    return SecretStr(text)


def _read_private_text(what: str, path: Path) -> str:
    try:
        # A pipe would wait for its writer without O_NONBLOCK.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        found = error.strerror if isinstance(error, OSError) else "no path"
        raise UsageError(
            f"{what} cannot be read",
            expected="a file with the secret, of mode 600",
            found=f"{found}",
            where=f"file {path}",
            fix="create the file: (umask 077; cat > FILE)",
        ) from None
    try:
        _require_private(what, path, os.fstat(descriptor))
        raw = os.read(descriptor, MAX_SECRET_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(raw) > MAX_SECRET_BYTES:
        raise UsageError(
            f"{what} is too long",
            expected=f"a file of at most {MAX_SECRET_BYTES:,} bytes",
            found="more",
            where=f"file {path}",
            fix="name the file that has the secret alone",
        )
    return raw.decode("utf-8", errors="replace").replace("\ufffd", "\0")


def _require_private(what: str, path: Path, found: os.stat_result) -> None:
    """Whether a file that is open is regular, of this user, and closed to others."""
    if not stat.S_ISREG(found.st_mode):
        problem, expected, fix = "no regular file", "a regular file", "name a regular file"
    elif found.st_uid != os.geteuid():
        problem = f"a file of user {found.st_uid}"
        expected, fix = f"a file of user {os.geteuid()}", f"chown {os.geteuid()} {path}"
    elif found.st_mode & _OTHERS_MODE:
        problem = f"mode {stat.S_IMODE(found.st_mode):03o}"
        expected, fix = "mode 600: no permission for others", f"chmod 600 {path}"
    else:
        return
    raise UsageError(
        f"{what} may be read or replaced by others",
        expected=expected,
        found=problem,
        where=f"file {path}",
        fix=fix,
    )
