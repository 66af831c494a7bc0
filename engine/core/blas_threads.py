"""One thread for products of small matrices."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

THREADS_VARIABLE = "OPENBLAS_NUM_THREADS"


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Lets NumPy's BLAS use one thread, and afterwards as many as before.

    The matrices of the tests are small: a second thread makes nothing faster, spins on a core that
    other work needs, and adds up in another order.
    """
    if os.environ.get(THREADS_VARIABLE) == "1":
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
