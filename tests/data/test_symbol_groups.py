"""Groups of the symbols of a dataset from the columns of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.core.errors import DataError, UsageError
from engine.data.manifests import read_manifest
from engine.data.symbol_groups import read_symbol_groups

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.manifests import DatasetManifest

MANIFEST = """
name: mine
interval: 1d
calendar: XNYS
symbols: [AAPL, MSFT, JPM, EURUSD, SAP]
currency: USD
currencies: {SAP: EUR}
fx: {EUR: EURUSD}
sources: [{kind: files, path: .}]
"""

TABLE = """symbol,sector,country
JPM,banks,US
AAPL,tech,US
MSFT,tech,US
SAP,tech,
"""


def manifest(folder: Path, table: str | None = TABLE) -> DatasetManifest:
    text = MANIFEST
    if table is not None:
        (folder / "groups.csv").write_text(table)
        text += "groups: {file: groups.csv}\n"
    file = folder / "mine.yaml"
    file.write_text(text)
    return read_manifest(str(file))


def test_a_column_makes_groups_in_the_order_of_the_dataset(tmp_path: Path) -> None:
    found = read_symbol_groups(manifest(tmp_path), "sector")
    assert list(found.items()) == [("tech", ("AAPL", "MSFT", "SAP")), ("banks", ("JPM",))]


def test_a_symbol_without_a_cell_is_in_no_group(tmp_path: Path) -> None:
    assert read_symbol_groups(manifest(tmp_path), "country") == {"US": ("AAPL", "MSFT", "JPM")}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (TABLE + "IBM,tech,US\n", "line 6: IBM is no symbol of the dataset"),
        (TABLE + "JPM,tech,US\n", "line 6: a second row of JPM"),
        (TABLE.replace("JPM,banks,US\n", ""), "no row of JPM"),
        ("sector,symbol\n", "sector,symbol"),
        ("symbol,sector,sector\n", "symbol,sector,sector"),
        ("", "an empty file"),
    ],
)
def test_a_wrong_file_is_an_error_with_its_place(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_symbol_groups(manifest(tmp_path, table), "sector")
    assert told in str(caught.value)
    assert "groups.csv" in str(caught.value)


def test_a_column_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such column") as caught:
        read_symbol_groups(manifest(tmp_path), "industry")
    assert "expected: sector, country" in str(caught.value)


def test_a_dataset_without_groups_says_how_to_give_them(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no groups") as caught:
        read_symbol_groups(manifest(tmp_path, None), "sector")
    assert "groups.csv" in str(caught.value)
