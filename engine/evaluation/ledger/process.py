"""Whether the process that began a run is still there."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Literal

Life = Literal["running", "gone", "unknown"]

_PROC = Path("/proc")


def host() -> str:
    """The name of this machine on its network."""
    return platform.node()


def mark(pid: int) -> str | None:
    """What tells a process from a later one of the same number: when it was started.

    Returns:
        On Linux the boot and the clock tick of its start, elsewhere what `ps` says; None where
        there is no such process, or nobody to ask.
    """
    if (_PROC / "self" / "stat").exists():
        return _mark_of_linux(pid)
    return _mark_of_ps(pid)


def life(pid: int, at_host: str, marked: str | None) -> Life:
    """Whether a process still runs.

    It does where a process of its number was started at the very moment that was noted; a number
    that another process was given since does not count. Of a process of another host, or of one
    whose start could not be noted, nothing is known.
    """
    if marked is None or at_host != host():
        return "unknown"
    return "running" if mark(pid) == marked else "gone"


def _mark_of_linux(pid: int) -> str | None:
    try:
        # The name of the program stands in brackets and may hold anything, brackets too.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    if state in {"Z", "X"}:  # ended, and only not yet collected by its parent
        return None
    boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    return f"{boot} {started}"


def _mark_of_ps(pid: int) -> str | None:
    try:
        told = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:
        return None
    return told.stdout.strip() or None
