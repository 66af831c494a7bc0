"""Workers as forks of processes that have imported their libraries: see `server` and `client`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.programs import command_of
from engine.training.worker import worker_environment
from tests.warm.server import REPORT, TRAINING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CLIENT = Path(__file__).with_name("client.py")
BACKENDS = {TRAINING: ("tensorflow", "jax"), REPORT: ("none",)}


class WarmProcesses:
    """Servers, which start when a program is first asked for.

    Args:
        folder: For their sockets; its path is short, as those of sockets have to be.
        stack: Ends them.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._started: set[str] = set()

    def command_of(self, module: str) -> list[str]:
        """In the place of `engine.core.programs.command_of`."""
        if module not in BACKENDS:
            return command_of(module)
        if module not in self._started:
            self._started.add(module)
            for backend in BACKENDS[module]:
                self._start(module, backend)
        return [sys.executable, "-I", "-S", str(CLIENT), str(self._folder), module]

    def _start(self, module: str, backend: str) -> None:
        home = self._folder / f"home-{backend}"
        home.mkdir()
        environment = {"MPLBACKEND": "Agg"}
        if module == TRAINING:
            environment |= worker_environment(backend, home, home)
        search_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        listener = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(self._folder / f"{module}-{backend}"))
        listener.listen()
        log = self._stack.enter_context((self._folder / f"{module}-{backend}.log").open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm.server", module, str(listener.fileno())],
            pass_fds=(listener.fileno(),),
            env={**os.environ, **environment, "PYTHONPATH": search_path.rstrip(os.pathsep)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._stack.callback(process.__exit__, None, None, None)


@contextmanager
def warm_processes() -> Iterator[WarmProcesses]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        yield WarmProcesses(Path(folder), stack)
