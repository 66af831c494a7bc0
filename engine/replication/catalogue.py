"""The publications that can be repeated, by name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

REPLICATION_NAMES = ("livieris2021",)


class ReplicationReport(Protocol):
    """The result of a replication."""

    def as_json(self) -> dict[str, Any]:
        """Every figure of the tables at full precision."""


@dataclass(frozen=True)
class Replication:
    """How a publication is repeated and shown.

    Attributes:
        replicate: Repeats it and returns its figures.
        render: Its figures as tables of at most 80 columns.
    """

    replicate: Callable[..., ReplicationReport]
    render: Callable[[Any], str]


def find_replication(name: str) -> Replication:
    """The replication of a publication.

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
    # Imported by name, because the command line needs the list of names without pandas.
    package = import_module(f"engine.replication.{name}")
    return Replication(package.replicate, package.render_replication)
