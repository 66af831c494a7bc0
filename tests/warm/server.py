"""A process that has imported what a worker needs, and forks for each worker.

Run as `python -m tests.warm.server MODULE DESCRIPTOR`: the program, and the socket on which
`client.py` asks for it. The libraries are imported at the first request. The process ends when
its standard input does.

A fork has the environment, the arguments, the search path, the files and the folder of its
client, and random numbers of its own. It differs from a new process in two ways: strings have the
same hashes in all forks, and what JAX compiles is kept for later forks. Tests that compare
processes, or look at them, start new ones: see `tests.conftest.new_processes`.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import sys
import tempfile
import threading
import traceback
import warnings
from contextlib import suppress
from importlib import import_module

TRAINING = "engine.training.worker"
REPORT = "engine.reporting.quantstats_worker"
FREE = 500
"""First descriptor for files on their way to their numbers."""


def load(module: str) -> None:
    """Imports the program and its libraries; starts no thread that a fork would miss."""
    warnings.simplefilter("ignore")
    import_module(module)
    if module == REPORT:
        import_module("quantstats")
        return
    from engine.core.lazy_imports import hide_modules

    with hide_modules("matplotlib", "matplotlib.pyplot", "sklearn"):
        import keras
    import_module(f"engine.models.training.backend_{keras.backend.backend()}")
    import_module("engine.models")


def answer(connection: socket.socket, module: str) -> None:
    """Forks the process that a client stands for."""
    size, files, _, _ = socket.recv_fds(connection, 8, 64)
    text = b""
    while len(text) < int.from_bytes(size, "big"):
        text += connection.recv(65_536)
    request = json.loads(text)
    if os.fork():
        for number in files:
            os.close(number)
        return
    client = move_files(connection, files, request["files"])
    threading.Thread(target=end_with, args=(client,), daemon=True).start()
    code = run(module, request)
    client.send(bytes([code]))
    os._exit(code)


def run(module: str, request: dict) -> int:
    """Runs the program; returns its exit code."""
    try:
        become(request)
        sys.modules[module].main()
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def move_files(connection: socket.socket, files: list[int], places: list[int]) -> socket.socket:
    """Gives the received files the numbers that they have in the client."""
    kept = socket.socket(fileno=move(connection.detach(), FREE))
    moved = [move(number, FREE + 1) for number in files]
    for number, place in zip(moved, places, strict=True):
        os.dup2(number, place, inheritable=place <= 2)
        os.close(number)
    return kept


def move(number: int, first: int) -> int:
    """A free descriptor at or above `first` in the place of one."""
    import fcntl

    moved = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, first)
    os.close(number)
    return moved


def end_with(client: socket.socket) -> None:
    """Ends this process when its client ends."""
    client.recv(1)
    os._exit(1)


def become(request: dict) -> None:
    """Takes over what the client was started with."""
    os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = request["arguments"]
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [os.getcwd(), *filter(None, path)]
    tempfile.tempdir = None
    random.seed()


def bury_dead() -> None:
    """Leaves no forks that have ended as zombies."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def main() -> None:
    module, descriptor = sys.argv[1], int(sys.argv[2])
    listener = socket.socket(fileno=descriptor)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        if module not in sys.modules:
            load(module)
        connection, _ = listener.accept()
        with connection:
            answer(connection, module)
        bury_dead()


if __name__ == "__main__":
    main()
