"""One function over many arguments, in worker processes.

Not joblib: interrupted while its workers start, it writes warnings of its resource tracker.
"""

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
    """The index of each call and its return value, in the order in which the calls finish.

    If all randomness of a call comes from its arguments, only the order depends on the number of
    workers. An interrupt or an exception of a call stops the workers at once.

    Args:
        function: Defined at the top level of a module, so that a worker can import it.
        argument_tuples: The arguments of each call.
        workers: Number of processes; None is one a core. With 1 every call runs in this process.
    """
    workers = workers or _available_cores()
    if workers == 1:
        for index, arguments in enumerate(argument_tuples):
            yield index, function(*arguments)
        return
    # Spawned, not forked: a fork would stop a thread that draws progress in the middle.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(argument_tuples)), context, initializer=relax_gc)
    earlier = multiprocessing.active_children()
    try:
        with _ignore_interrupts_in_children():
            futures = {
                pool.submit(function, *arguments): index
                for index, arguments in enumerate(argument_tuples)
            }
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        # After an interrupt nobody reads the remaining results.
        for process in multiprocessing.active_children():
            if process not in earlier:
                process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _ignore_interrupts_in_children() -> Iterator[None]:
    """Processes started inside ignore Ctrl-C: the terminal sends it to all, and one answers it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _available_cores() -> int:
    """Cores that this process may use; in a container fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
