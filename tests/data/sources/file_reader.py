"""Reads one file through the files source, in tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError
from engine.core.progress import NullProgress
from engine.data.bars import normalise_bars
from engine.data.files_config import FilesSourceSpec
from engine.data.manifests import read_manifest
from engine.data.sources.base import BarRequest
from engine.data.sources.files import FilesBarSource
from tests.data.datasets import COINS, NOW

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.config import Dataset


@dataclass
class FileReader:
    """Reads files of a folder through the files source, and keeps the notices it sent."""

    folder: Path

    def __post_init__(self) -> None:
        self.notices: list[str] = []

    def raw(self, text=None, *, interval="1d", **options) -> pd.DataFrame:
        if text is not None:
            (self.folder / "X.csv").write_text(text, encoding="utf-8")
        feed = FilesBarSource(FilesSourceSpec(path=".", **options), self.folder)
        request = BarRequest("X", interval, None, NOW, NullProgress(), self.notices.append)
        return feed.fetch(request)

    def bars(self, text=None, **options) -> pd.DataFrame:
        return normalise_bars(self.raw(text, **options), "X")

    def stamps(self, cells, **options) -> list[str]:
        """The timestamps of rows with these cells, in UTC: the time alone left out at midnight."""
        lines = "".join(f"{cell};10;12;9;11;5\n" for cell in cells)
        bars = self.bars("timestamp;open;high;low;close;volume\n" + lines, **options)
        texts = bars["timestamp"].dt.strftime("%Y-%m-%d %H:%M")
        return [text.removesuffix(" 00:00") for text in texts]

    def dataset(self, source: str) -> Dataset:
        """A dataset with this source, as YAML writes it."""
        (self.folder / "coins.yaml").write_text(f"{COINS}  - {source}\n")
        return read_manifest(str(self.folder / "coins.yaml")).dataset

    def values(self, *cells, **options) -> list[float]:
        """The closes of rows with these cells."""
        day = pd.Timestamp("2020-01-01")
        lines = "".join(
            f"{day + pd.Timedelta(days=n):%Y-%m-%d};10;12;9;{cell};5\n"
            for n, cell in enumerate(cells)
        )
        return self.bars("timestamp;open;high;low;close;volume\n" + lines, **options)[
            "close"
        ].tolist()


def refused(reader, text=None, **options) -> InvalidBarsError:
    """The error about a file, which is short enough to read."""
    with pytest.raises(InvalidBarsError) as caught:
        reader.bars(text, **options)
    assert len(str(caught.value).splitlines()) <= 20
    return caught.value
