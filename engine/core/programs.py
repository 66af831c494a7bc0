"""The programs of the engine that run as processes of their own."""

from __future__ import annotations

import sys


def command_of(module: str) -> list[str]:
    """The command line that runs a module of the engine as a program; arguments may follow.

    Args:
        module: Full name of a module with a main guard.
    """
    return [sys.executable, "-m", module]
