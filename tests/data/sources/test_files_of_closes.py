"""Files whose only price is the close: `prices: close`."""

from __future__ import annotations

import pytest

from engine.core.errors import InvalidBarsError, StrategyError
from engine.data.bars import is_close_only

CLOSES = "date,close\n2024-01-01,10\n2024-01-02,11\n2024-01-03,12\n"
EMPTY = "date,open,high,low,close,volume\n" + "".join(
    f"2024-01-0{day},,,,{day},5\n" for day in range(1, 4)
)


def test_a_declared_file_has_closes_and_nothing_else(reader) -> None:
    bars = reader.bars(CLOSES, prices="close", volume="none")
    assert bars["close"].tolist() == [10.0, 11.0, 12.0]
    assert is_close_only(bars)
    assert bars["volume"].isna().all()


def test_a_volume_beside_the_close_is_read(reader) -> None:
    bars = reader.bars("date,close,volume\n2024-01-01,10,7\n2024-01-02,11,8\n", prices="close")
    assert is_close_only(bars)
    assert bars["volume"].tolist() == [7.0, 8.0]


def test_a_file_without_them_names_both_keys(reader) -> None:
    with pytest.raises(InvalidBarsError) as caught:
        reader.bars(CLOSES)
    assert "`prices: close`" in caught.value.fix
    assert "`volume: none`" in caught.value.fix


def test_a_file_that_lacks_some_of_them_is_told_to_map_a_column(reader) -> None:
    with pytest.raises(InvalidBarsError) as caught:
        reader.bars("date,high,low,close,volume\n2024-01-01,2,1,1,5\n")
    assert "prices: close" not in caught.value.fix
    assert "columns: {open: NAME}" in caught.value.fix


def test_empty_columns_are_no_declaration(reader) -> None:
    with pytest.raises(
        InvalidBarsError, match="columns of open, high and low are empty"
    ) as caught:
        reader.bars(EMPTY)
    assert "declare `prices: close`" in caught.value.fix
    assert is_close_only(reader.bars(EMPTY, prices="close"))


def test_columns_that_are_declared_absent_are_not_read(reader) -> None:
    text = "date,open,high,low,close,volume\n2024-01-01,1,3,0.5,2,9\n2024-01-02,1,3,0.5,2,9\n"
    assert is_close_only(reader.bars(text, prices="close"))


def test_a_declaration_beside_a_mapping_is_refused(reader) -> None:
    with pytest.raises(StrategyError, match="a column for open, not both"):
        reader.dataset("{kind: files, path: ., prices: close, columns: {open: O}}")
