"""Small matrices are multiplied by one thread."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from engine.core.blas_threads import THREADS_VARIABLE, one_blas_thread


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("limited_before", [True, False])
def test_blas_has_one_thread_within_and_as_many_as_before_afterwards(
    limited_before, monkeypatch
) -> None:
    if limited_before:
        monkeypatch.setenv(THREADS_VARIABLE, "1")
    else:
        monkeypatch.delenv(THREADS_VARIABLE, raising=False)
    assert np.ones((2, 2)) @ np.ones(2) == pytest.approx([2.0, 2.0])
    before = blas_threads()
    with one_blas_thread():
        assert limited_before or set(blas_threads()) <= {1}
    assert blas_threads() == before
