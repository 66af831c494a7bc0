from __future__ import annotations

import pytest

from tests.data.sources.file_reader import FileReader


@pytest.fixture
def reader(tmp_path) -> FileReader:
    return FileReader(tmp_path)
