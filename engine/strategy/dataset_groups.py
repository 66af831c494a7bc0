"""Groups of symbols that a strategy names by a column of its dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.data.manifests import read_manifest
from engine.data.symbol_groups import read_symbol_groups
from engine.models.networks.hierarchical import Hierarchical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.config import DataSpec
    from engine.models.forecaster import Forecaster
    from engine.portfolio.config import PortfolioSpec


def write_out_groups(
    data: DataSpec, portfolio: PortfolioSpec, model: Forecaster
) -> dict[str, PortfolioSpec | Forecaster]:
    """The sections of a strategy that name a column, with the symbols of its groups instead.

    The symbols are those of its own dataset that it trades; what is done with them is the same as
    with groups that the file writes out, and has the same run id.

    Args:
        data: The dataset, and what is traded of it.
        portfolio: The section `portfolio`.
        model: The section `model`.

    Returns:
        Name of a section -> the section; none of one that names no column.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        UsageError: The dataset has no such column of groups, or none of the traded symbols is in
            a group.
        DataError: The file of groups cannot be read, or is wrong.
    """
    changed: dict[str, PortfolioSpec | Forecaster] = {}
    if isinstance(portfolio.groups, str):
        groups = _read_groups(data, portfolio.groups, "portfolio.groups")
        changed["portfolio"] = portfolio.model_copy(update={"groups": groups})
    if isinstance(model, Hierarchical) and isinstance(model.groups, str):
        groups = _read_groups(data, model.groups, "model.groups")
        changed["model"] = model.model_copy(update={"groups": groups})
    return changed


def _read_groups(data: DataSpec, column: str, where: str) -> Mapping[str, tuple[str, ...]]:
    found = read_symbol_groups(read_manifest(data.dataset), column)
    targets = data.targets
    if isinstance(targets, tuple):
        kept = {name: _keep(members, targets) for name, members in found.items()}
        found = {name: members for name, members in kept.items() if members}
    if found:
        return found
    raise UsageError(
        "no symbol that is traded is in a group",
        expected=f"a cell of one of them in the column {column}",
        found="an empty column",
        where=where,
        fix="fill the column, or leave the groups out",
    )


def _keep(members: tuple[str, ...], targets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(symbol for symbol in members if symbol in targets)
