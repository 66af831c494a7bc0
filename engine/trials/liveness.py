"""Whether the process that began a run is still there."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Literal

ProcessState = Literal["running", "gone", "unknown"]

_PROC_ROOT = Path("/proc")


def host_name() -> str:
    """The name of this machine on its network."""
    return platform.node()


def process_start_token(pid: int) -> str | None:
    """What tells a process from a later one of the same number: when it was started.

    Returns:
        On Linux the boot and the clock tick of its start, elsewhere what `ps` says; None where
        there is no such process, or nobody to ask.
    """
    if (_PROC_ROOT / "self" / "stat").exists():
        return _start_token_from_proc(pid)
    return _start_token_from_ps(pid)


def process_state(pid: int, process_host: str, start_token: str | None) -> ProcessState:
    """Whether a process still runs.

    It does where a process of its number was started at the very moment that was noted; a number
    that another process was given since does not count. Of a process of another host, or of one
    whose start could not be noted, nothing is known.
    """
    if start_token is None or process_host != host_name():
        return "unknown"
    return "running" if process_start_token(pid) == start_token else "gone"


def _start_token_from_proc(pid: int) -> str | None:
    try:
        # The name of the program stands in brackets and may hold anything, brackets too.
        fields = (_PROC_ROOT / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    if state in {"Z", "X"}:  # ended, and only not yet collected by its parent
        return None
    boot = (_PROC_ROOT / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    return f"{boot} {started}"


def _start_token_from_ps(pid: int) -> str | None:
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
