"""Whether the process of a run is still running."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Literal

ProcessState = Literal["running", "ended", "unknown"]

PROC_ROOT = Path("/proc")


def host_name() -> str:
    """Network name of this machine."""
    return platform.node()


def process_start_token(pid: int, proc_root: Path = PROC_ROOT) -> str | None:
    """Start time of a process, which distinguishes it from a later one with the same id.

    Args:
        pid: Process id.
        proc_root: The proc file system of Linux.

    Returns:
        On Linux the boot id and the clock tick of its start, elsewhere the output of `ps`; None
        where there is no such process, or neither source is available.
    """
    if (proc_root / "self" / "stat").exists():
        return _start_token_from_proc(pid, proc_root)
    return _start_token_from_ps(pid)


def process_state(
    pid: int, process_host: str, start_token: str | None, proc_root: Path = PROC_ROOT
) -> ProcessState:
    """Whether a process still runs.

    It does if a process with this id has the recorded start time; an id that was reused since does
    not count. The state is unknown for a process of another host or without a recorded start time.
    """
    if start_token is None or process_host != host_name():
        return "unknown"
    return "running" if process_start_token(pid, proc_root) == start_token else "ended"


def _start_token_from_proc(pid: int, proc_root: Path) -> str | None:
    try:
        # The program name is in brackets and may itself contain brackets.
        fields = (proc_root / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    if state in {"Z", "X"}:  # ended, but not yet reaped by its parent
        return None
    boot = (proc_root / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    return f"{boot} {started}"


def _start_token_from_ps(pid: int) -> str | None:
    try:
        completed = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:
        return None
    return completed.stdout.strip() or None
