"""A disk that fails at one operation, and a clock that steps there: plans for `faulty_disk.c`."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from pathlib import Path

import pytest

PLAN_VARIABLE = "FAULTY_DISK_PLAN"
SOURCE = Path(__file__).with_name("faulty_disk.c")


class Operation(IntFlag):
    """File operations, as bits in the order of the C code."""

    OPEN = 1
    CREATE = 2
    READ = 4
    WRITE = 8
    SYNC = 16
    RENAME = 32
    MAKE = 64
    REMOVE = 128
    TRUNCATE = 256


ALL = Operation((1 << len(Operation)) - 1)
CHANGES = ALL & ~(Operation.OPEN | Operation.READ)
NEEDS_SPACE = Operation.CREATE | Operation.WRITE | Operation.MAKE
"""What fails on a full disk; a file can still be renamed and removed."""


class Fault(IntEnum):
    """What happens at the operation, in the order of the C code."""

    NOTHING = 0
    KILL = 1
    FAIL = 2
    TEAR = 3
    TEAR_AND_KILL = 4
    STEP = 5


_FIELDS = "=9q"
_PATH_MAX = 4096
VICTIM_OFFSET = 5 * 8


@dataclass(frozen=True)
class Plan:
    """What happens at which operation below a folder.

    Attributes:
        affected: The operations that are counted.
        at: Which of them it happens at, from 1; 0 is none.
        fault: What happens.
        error: The errno of an operation that fails.
        lasts: Whether all later ones fail too.
        step_s: By how many seconds the clock steps.
        ahead_s: By how many seconds the clock is ahead from the beginning.
    """

    affected: Operation = ALL
    at: int = 0
    fault: Fault = Fault.NOTHING
    error: int = 0
    lasts: bool = False
    step_s: int = 0
    ahead_s: int = 0

    def write(self, path: Path, folder: Path) -> None:
        """Writes the file that the processes of a command map."""
        fields = struct.pack(
            _FIELDS,
            int(self.affected),
            self.at,
            int(self.fault),
            self.error,
            int(self.lasts),
            0,
            self.step_s,
            self.ahead_s,
            0,
        )
        seen = bytes(8 * len(Operation))
        path.write_bytes(fields + seen + str(folder).encode().ljust(_PATH_MAX, b"\0"))


def count_operations(plan: Path) -> dict[Operation, int]:
    """How many of each operation the processes of a command have carried out."""
    raw = plan.read_bytes()[struct.calcsize(_FIELDS) :]
    return dict(zip(Operation, struct.unpack_from(f"={len(Operation)}q", raw), strict=True))


def build_library(folder: Path) -> Path:
    """Compiles the library that is preloaded.

    Without a compiler the test is skipped; in CI, which installs one, it fails.
    """
    if sys.platform != "linux":
        pytest.skip("the library is for Linux")
    compiler = shutil.which("cc")
    if compiler is None:
        reason = "there is no cc on the path (Debian: gcc libc6-dev)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    library = folder / "faulty_disk.so"
    options = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library
