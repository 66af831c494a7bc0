"""One function over many arguments, in worker processes."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, TypeVar

from joblib import Parallel, cpu_count, delayed

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
    parallel = Parallel(
        min(workers or cpu_count(), len(argument_tuples)),
        return_as="generator_unordered",
        batch_size=1,
        initializer=_start_worker,
    )
    calls = (
        delayed(_call)(index, function, arguments)
        for index, arguments in enumerate(argument_tuples)
    )
    yield from parallel(calls)


def _start_worker() -> None:
    relax_gc()
    # The terminal sends Ctrl-C to every process; the main process answers it and stops the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call(
    index: int, function: Callable[..., ReturnT], arguments: tuple[Any, ...]
) -> tuple[int, ReturnT]:
    return index, function(*arguments)
