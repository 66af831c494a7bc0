"""The laboratory of random trouble, one for each module that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.commands import Disk, fork_server
from tests.faults.laboratory import Laboratory
from tests.warm.server import TRAINING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.warm.processes import WarmProcesses


@pytest.fixture(scope="module")
def laboratory(module_folder: Path, warm: WarmProcesses) -> Iterator[Laboratory]:
    """Its commands' training workers are forks too; those work in memory, on no disk."""
    with fork_server(module_folder, warm.command_of(TRAINING)) as server:
        yield Laboratory(module_folder, server)


@pytest.fixture(scope="module")
def empty(laboratory: Laboratory) -> Disk:
    """A disk that no command has written."""
    return Disk(laboratory.place / "empty").make()
