"""Signs the hashes of a run folder, and checks a signature."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature

from engine.core.errors import UsageError, VerificationError
from engine.core.limits import MAX_SUMS_BYTES
from engine.core.read_file import read_bytes
from engine.core.storage import translate_disk_faults, write_file
from engine.runs.sums import SIGNATURE_FILE, SUMS_FILE
from engine.verification.files import check_files
from engine.verification.keys import (
    fingerprint,
    format_public_key,
    load_public_key,
    parse_public_key,
)
from engine.verification.result import RunDifference, StepResult

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

ALGORITHM = "ed25519"

SAYS = (
    "a signature says that whoever holds the key had exactly these files. It does not say when, "
    "that no other run was made, or that the figures are right"
)

_TEXT = re.compile(
    rf"algorithm: {ALGORITHM}\n"
    r"public-key: (?P<key>ssh-ed25519 [A-Za-z0-9+/=]+)\n"
    r"signature: (?P<signature>[A-Za-z0-9+/=]+)\n"
)


def sign_folder(folder: Path, key: Ed25519PrivateKey) -> str:
    """Signs the bytes of `SHA256SUMS`; writes `SHA256SUMS.sig`.

    Args:
        folder: A run folder, whose files have their hashes.
        key: The private key.

    Returns:
        The fingerprint of its public key.

    Raises:
        UsageError: The folder has no hashes.
        VerificationError: A file does not have its hash; nothing is signed.
        StorageError: The signature cannot be written.
    """
    files = check_files(folder)
    if files.status == "not checked":
        raise UsageError(
            "this folder has no hashes that could be signed",
            expected=f"a run folder with {SUMS_FILE}",
            found="a folder of an earlier version, or no run folder",
            where=str(folder),
            fix="run the strategy again with this version",
        )
    if files.difference is not None:
        raise VerificationError(
            "a run folder that was changed is not signed",
            expected=f"files with the hashes of {SUMS_FILE}",
            found=files.difference.sentence,
            where=str(folder),
            fix="take it from a copy that was not changed, or run the strategy again",
        )
    public = key.public_key()
    signature = base64.b64encode(key.sign(_read_sums(folder))).decode()
    text = (
        f"algorithm: {ALGORITHM}\npublic-key: {format_public_key(public)}\n"
        f"signature: {signature}\n"
    )
    with translate_disk_faults("the signature cannot be written", folder / SIGNATURE_FILE):
        write_file(folder / SIGNATURE_FILE, text)
    return fingerprint(public)


def check_signature(folder: Path, signer: Path | None) -> StepResult | None:
    """The step `signature`; None where there is no signature, and none is asked for.

    Args:
        folder: A run folder.
        signer: File of the public key that has to have signed it; None takes the key beside the
            signature, of which nothing is known.

    Raises:
        UsageError: The file of the signer is no public key.
    """
    wanted = None if signer is None else load_public_key(signer)
    path = folder / SIGNATURE_FILE
    if not path.exists():
        if wanted is None:
            return None
        missing = RunDifference(
            SIGNATURE_FILE, "no signature", expected=f"one by {fingerprint(wanted)}"
        )
        return StepResult("signature", "differs", "", missing)
    return _check(folder, wanted)


def _check(folder: Path, wanted: Ed25519PublicKey | None) -> StepResult:
    try:
        raw = read_bytes(
            folder / SIGNATURE_FILE, max_bytes=MAX_SUMS_BYTES, what="a signature of a run"
        )
        found = _TEXT.fullmatch(raw.decode("utf-8"))
        if found is None:
            raise ValueError("other lines than algorithm, public-key and signature")
        own = parse_public_key(found["key"])
        signature = base64.b64decode(found["signature"], validate=True)
    except (UsageError, OSError, ValueError) as error:
        return _differs("it cannot be read", found=f"{error}".splitlines()[0])
    if wanted is not None and format_public_key(wanted) != format_public_key(own):
        return _differs("another key", expected=fingerprint(wanted), found=fingerprint(own))
    try:
        own.verify(signature, _read_sums(folder))
    except InvalidSignature:
        return _differs(f"it is not of these {SUMS_FILE}", found=f"one by {fingerprint(own)}")
    except (UsageError, OSError):
        return _differs(f"there is no {SUMS_FILE} that it could be of")
    whose = "" if wanted is not None else ", whoever that is (--signer FILE names a key)"
    return StepResult("signature", "ok", f"by {fingerprint(own)}{whose}; {SAYS}")


def _differs(problem: str, *, expected: str = "", found: str = "") -> StepResult:
    difference = RunDifference(SIGNATURE_FILE, problem, expected=expected, found=found)
    return StepResult("signature", "differs", "", difference)


def _read_sums(folder: Path) -> bytes:
    return read_bytes(folder / SUMS_FILE, max_bytes=MAX_SUMS_BYTES, what="the hashes of a run")
