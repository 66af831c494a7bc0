"""A symbol in several files: by the month, or by the day with times since midnight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.core.errors import InvalidBarsError, SourceError
from engine.core.progress import NullProgress
from engine.data.files_config import FilesSourceSpec
from engine.data.sources.base import BarRequest
from engine.data.sources.files import FilesBarSource
from tests.data.datasets import NOW
from tests.data.formats.samples import zipped

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

TAIL = "1735689599999,1,1,1,1,0"


def fetch(folder: Path, interval: str = "1h", **keys: object) -> pd.DataFrame:
    spec = FilesSourceSpec.model_validate({"path": ".", **keys})
    request = BarRequest("X", interval, None, NOW, NullProgress())
    return FilesBarSource(spec, folder).fetch(request)


def test_months_in_files_of_their_own_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "X-1h-2025-01.csv").write_text(f"1735689600000000,3,3,3,3,3,{TAIL}\n")
    (tmp_path / "X-1h-2024-12.csv").write_text(f"1735686000000,2,2,2,2,2,{TAIL}\n")
    (tmp_path / "XY-1h-2024-12.csv").write_text(f"1735686000000,9,9,9,9,9,{TAIL}\n")
    bars = fetch(tmp_path, pattern="{symbol}-1h-*.csv", format="binance")
    assert [str(stamp) for stamp in bars["timestamp"]] == [
        "2024-12-31 23:00:00+00:00",
        "2025-01-01 00:00:00+00:00",
    ]
    assert bars["open"].tolist() == [2.0, 3.0]


def test_minutes_of_lean_take_their_date_from_the_file_name(tmp_path: Path) -> None:
    """Milliseconds since midnight in New York, before and after its clocks change."""
    (tmp_path / "X").mkdir()
    for day in ("20240308", "20240311"):
        text = "34200000,6450000,6462500,6445000,6457500,90\n34260000,6457500,1,1,1,40\n"
        (tmp_path / "X" / f"{day}_trade.zip").write_bytes(zipped(f"{day}_x_minute.csv", text))
    (tmp_path / "X" / "20240311_quote.zip").write_bytes(b"")
    bars = fetch(tmp_path, "1m", pattern="{symbol}/{date}_trade.zip", format="lean")
    assert [str(stamp) for stamp in bars["timestamp"]] == [
        "2024-03-08 14:30:00+00:00",
        "2024-03-08 14:31:00+00:00",
        "2024-03-11 13:30:00+00:00",
        "2024-03-11 13:31:00+00:00",
    ]
    assert bars["open"].tolist() == [645.0, 645.75] * 2


def test_milliseconds_of_the_day_need_a_date_in_the_pattern(tmp_path: Path) -> None:
    (tmp_path / "X.csv").write_text("34200000,6450000,6462500,6445000,6457500,90\n")
    with pytest.raises(InvalidBarsError) as error:
        fetch(tmp_path, "1m", format="lean")
    assert "`{date}` in `pattern`" in error.value.fix


def test_the_label_before_a_bar_may_lie_in_the_file_before(tmp_path: Path) -> None:
    """The half hour from 16:00 to 16:30, labelled by its close as the last of the day."""
    (tmp_path / "X-20240308.txt").write_text("20240308 160000;1;1;1;1;1\n")
    (tmp_path / "X-20240309.txt").write_text("20240308 163000;1;1;1;1;1\n")
    bars = fetch(tmp_path, pattern="{symbol}-{date}.txt", format="ninjatrader")
    assert [f"{stamp:%H:%M}" for stamp in bars["timestamp"]] == ["15:00", "16:00"]


def test_no_file_of_the_pattern_is_an_error_that_lists_the_folder(tmp_path: Path) -> None:
    (tmp_path / "Y-1h-2025-01.csv").touch()
    with pytest.raises(SourceError) as error:
        fetch(tmp_path, pattern="{symbol}-1h-*.csv", format="binance")
    assert "Y-1h-2025-01.csv" in error.value.found
