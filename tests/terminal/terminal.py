"""A terminal for tests: tmux runs a shell, types commands and reads the screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROMPT = "ready$"


def require_tmux() -> None:
    """Skips without tmux; in CI, which installs it, fails."""
    if shutil.which("tmux"):
        return
    if os.environ.get("CI"):
        pytest.fail("tmux is not installed, and CI must have it")
    pytest.skip("tmux is not installed")


class Terminal:
    """A terminal of a given size, with a tmux server of its own."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self.width = width
        self._tmux = ["tmux", "-S", str(folder / "tmux"), "-f", os.devnull]
        bin_ = Path(sys.executable).parent
        shell = ["env", f"PS1={PROMPT} ", f"PATH={bin_}:{os.environ['PATH']}", "sh"]
        home = ["-e", f"BACKTEST_HOME={folder / 'home'}", "-e", "NO_COLOR=", "-e", "ENV="]
        size = ["-x", str(width), "-y", str(height)]
        self._run("new-session", "-d", *size, "-c", str(folder), *home, *shell)
        self.wait_for(lambda screen: screen.startswith(PROMPT), "the shell's prompt")

    def type(self, line: str) -> None:
        """Types a line and presses return."""
        self._run("send-keys", "-l", line)
        self._run("send-keys", "Enter")

    def press(self, key: str) -> None:
        """Presses a key by tmux's name, such as C-c."""
        self._run("send-keys", key)

    def clear(self) -> None:
        """Clears the screen and its history."""
        self.type("clear")
        self.wait_for(lambda screen: screen.strip() == PROMPT, "an empty screen")
        self._run("clear-history")

    def screen(self, *, colours: bool = False) -> str:
        """Text of the screen and of its history, lines not joined."""
        codes = ["-e"] if colours else []
        return self._run("capture-pane", "-p", "-S", "-", *codes).rstrip()

    def wait_for(self, seen: Callable[[str], bool], what: str, seconds: float = 240) -> str:
        """Waits until the screen satisfies `seen`, and returns it."""
        ends = time.monotonic() + seconds
        while not seen(screen := self.screen()):
            assert time.monotonic() < ends, f"no {what} within {seconds} s:\n{screen}"
            time.sleep(0.1)
        return screen

    def close(self) -> None:
        """Ends the shell, what it runs, and the server."""
        self._run("kill-server")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments], capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout


@contextmanager
def terminal(folder: Path, width: int = 80, height: int = 60) -> Iterator[Terminal]:
    """A terminal whose shell works in `folder`."""
    require_tmux()
    opened = Terminal(folder, width, height)
    try:
        yield opened
    finally:
        opened.close()
