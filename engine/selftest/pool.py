"""One function over many arguments, in as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from engine.core.lazy_imports import relax_gc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ReturnT = TypeVar("ReturnT")


def map_unordered(
    function: Callable[..., ReturnT],
    argument_tuples: Sequence[tuple[Any, ...]],
    workers: int | None,
) -> Iterator[tuple[int, ReturnT]]:
    """Each call's place and what it returned, in the order in which they are finished.

    Whatever is random in a call has to come from its arguments; then only the order depends on
    the number of workers.

    Args:
        function: At the top of a module, which a worker imports.
        argument_tuples: Of each call.
        workers: Processes; one a core where not given. With 1 all is called here.
    """
    workers = workers or _available_cores()
    if workers == 1:
        for place, given in enumerate(argument_tuples):
            yield place, function(*given)
        return
    # Spawned, not forked: a thread that draws progress would be cut in half by a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(argument_tuples)), context, initializer=relax_gc)
    others = multiprocessing.active_children()
    try:
        with _ignore_sigint():
            futures = {
                pool.submit(function, *given): place for place, given in enumerate(argument_tuples)
            }
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        # Whoever was interrupted is not made to wait for calls that nobody will read.
        for worker in multiprocessing.active_children():
            if worker not in others:
                worker.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _ignore_sigint() -> Iterator[None]:
    """Processes started here do not hear Ctrl-C: the terminal sends it to all, one must answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


def _available_cores() -> int:
    """Those this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
