from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.feeds.exchange import Exchange, exchange_at

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def exchange(tmp_path) -> Iterator[Exchange]:
    """An exchange at half a minute past noon."""
    with exchange_at("12:00:30", tmp_path) as running:
        yield running
