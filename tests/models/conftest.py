"""What tests of models share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One thread, as in a worker; more threads are slower for so few rows."""
    with threadpool_limits(1):
        yield
