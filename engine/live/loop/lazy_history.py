"""The history of a bar, for what needs more than a bar loop keeps."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from engine.data import Market


class LazyHistory:
    """The market up to a bar, loaded when it is needed.

    Args:
        timestamp: The bar.
        load: Returns the market up to a bar and with it.
    """

    def __init__(self, timestamp: pd.Timestamp, load: Callable[[pd.Timestamp], Market]) -> None:
        self.timestamp = timestamp
        self._load = load

    @classmethod
    def refused(cls, timestamp: pd.Timestamp) -> LazyHistory:
        """That of a bar that has not come: asking for it is a `UsageError`."""
        return cls(timestamp, _refuse)

    @cached_property
    def market(self) -> Market:
        """The market."""
        return self._load(self.timestamp)


def _refuse(until: pd.Timestamp) -> Market:
    raise UsageError(
        "a bar that has not come has no history",
        expected="what the bars so far say",
        found=f"the history up to {until}",
    )
