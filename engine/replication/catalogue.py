"""The publications that can be replicated, by name."""

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
        """All figures of the tables at full precision."""


@dataclass(frozen=True)
class Replication:
    """The functions that replicate a publication and render the result.

    Attributes:
        replicate: Runs the replication and returns its figures.
        render: Renders the figures as text of at most 80 columns.
    """

    replicate: Callable[..., ReplicationReport]
    render: Callable[[Any], str]


def find_replication(name: str) -> Replication:
    """The replication of a publication.

    Raises:
        UsageError: There is no replication of that name.
    """
    if name not in REPLICATION_NAMES:
        raise UsageError(
            f"there is no replication named {name!r}",
            expected=" or ".join(REPLICATION_NAMES),
            found=name,
            fix=f"backtest replicate {REPLICATION_NAMES[0]} --data FOLDER",
        )
    # Imported by name: the command line needs the list of names without pandas.
    package = import_module(f"engine.replication.{name}")
    return Replication(package.replicate, package.render_replication)
