from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.replication.papers import write_paper

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up paper's folder; tests that change it copy it."""
    return write_paper(tmp_path_factory.mktemp("paper"))
