"""The publications that can be repeated, by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

REPLICATION_NAMES = ("livieris2021",)


class ReplicationReport(Protocol):
    """What a replication hands back: the same figures for people and for scripts."""

    def as_text(self) -> str:
        """Tables of at most 80 columns."""

    def as_json(self) -> dict[str, Any]:
        """Every figure of the tables at full precision."""


def find_replication(name: str) -> Callable[..., ReplicationReport]:
    """The function that repeats a publication.

    Raises:
        UsageError: No publication of that name can be repeated.
    """
    if name not in REPLICATION_NAMES:
        raise UsageError(
            f"there is no replication named {name!r}",
            expected=" or ".join(REPLICATION_NAMES),
            found=name,
            fix=f"backtest replicate {REPLICATION_NAMES[0]} --data FOLDER",
        )
    # By its name alone, because the command line asks for the list of names without pandas.
    found: Callable[..., ReplicationReport] = import_module(f"engine.replication.{name}").replicate
    return found
