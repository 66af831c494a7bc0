"""Missing, damaged and incomplete files of the paper are refused."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import DataError, InvalidBarsError
from engine.replication.livieris2021.prices import read_closes
from engine.replication.livieris2021.protocol import PaperProtocol
from engine.replication.livieris2021.published import read_published

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(paper: Path, tmp_path: Path) -> Path:
    return shutil.copytree(paper, tmp_path / "copy")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_closes_have_a_column_per_coin_and_a_row_per_day(paper) -> None:
    closes = read_closes(paper, PaperProtocol())
    assert list(closes) == ["BTC", "ETH", "XRP"]
    assert (len(closes), str(closes.index[0]), str(closes.index.tz)) == (
        1400,
        "2017-01-01 00:00:00+00:00",
        "UTC",
    )


def test_a_missing_folder_is_refused(tmp_path) -> None:
    with pytest.raises(DataError) as error:
        read_closes(tmp_path / "nowhere", PaperProtocol())
    assert "BTC.csv, ETH.csv, XRP.csv and published_tables.json" in error.value.expected
    assert "--data" in error.value.fix


def test_a_missing_coin_is_refused(folder) -> None:
    (folder / "ETH.csv").unlink()
    with pytest.raises(DataError) as error:
        read_closes(folder, PaperProtocol())
    assert error.value.expected == "ETH.csv"


@pytest.mark.parametrize(
    ("old", "new", "found", "where"),
    [
        ("2018-05-05", "2018-05-32", "'2018-05-32'", "line 491"),
        ("2018-05-05", "2018-05-04", "1 days are missing, the first 2018-05-05", "ETH.csv"),
        ("\n2018-05-05", "\n2020-11-01,5\n2018-05-05", "1 lie outside, the first 2020-", "ETH"),
        ("\n2018-05-05", "\n2018-05-05,5\n2018-05-05", "1401 rows; days are repeated", "ETH"),
        ("timestamp,", "day,", "day, close", "ETH.csv"),
        ("2018-05-05,", "2018-05-05,-", "'-", "line 491"),
        ("2018-05-05,", "2018-05-05,x", "'x", "line 491"),
    ],
)
def test_closes_that_are_not_the_papers_are_refused(folder, old, new, found, where) -> None:
    change(folder / "ETH.csv", old, new)
    with pytest.raises(InvalidBarsError) as error:
        read_closes(folder, PaperProtocol())
    assert found in error.value.found
    assert where in error.value.where


def test_a_part_that_only_rises_is_refused(folder) -> None:
    lines = (folder / "XRP.csv").read_text().splitlines()
    rising = [f"{line.partition(',')[0]},{day}" for day, line in enumerate(lines) if day > 1247]
    (folder / "XRP.csv").write_text("\n".join([*lines[:1248], *rising]))
    with pytest.raises(InvalidBarsError) as error:
        read_closes(folder, PaperProtocol())
    assert error.value.expected == "days up and days down in every part"


def test_an_empty_file_is_refused(folder) -> None:
    (folder / "BTC.csv").write_text("")
    with pytest.raises(InvalidBarsError):
        read_closes(folder, PaperProtocol())


def test_the_printed_figures_are_read(paper) -> None:
    published = read_published(paper, PaperProtocol())
    assert published.find_scores("XRP", "MICDL", 14).mae == 0.02


def test_missing_printed_figures_are_refused(folder) -> None:
    (folder / "published_tables.json").unlink()
    with pytest.raises(DataError) as error:
        read_published(folder, PaperProtocol())
    assert error.value.expected == "published_tables.json"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("{", "[", "Invalid JSON"),
        ('"mean": 1.5', '"mean": "much"', "descriptive.0.mean"),
        ('"mean": 1.5, ', "", "descriptive.0.mean"),
        ('"mean": 1.5', '"mean": NaN', "descriptive.0.mean"),
        ('"p_finner": null', '"p_finner": 0.1', "5 rows; 0 is missing"),
        ('"symbol": "BTC"', '"symbol": "DOGE"', "('BTC', 'training') is missing"),
        ('"lag": 7', '"lag": 8', "('BTC', 'Model1', 7) is missing"),
    ],
)
def test_damaged_printed_figures_are_refused_with_their_location(folder, old, new, found) -> None:
    change(folder / "published_tables.json", old, new)
    with pytest.raises(DataError) as error:
        read_published(folder, PaperProtocol())
    assert found in error.value.found
    assert error.value.where.endswith("published_tables.json")


def test_a_table_without_its_last_row_is_refused(folder) -> None:
    path = folder / "published_tables.json"
    tables = json.loads(path.read_text())
    tables["friedman"].pop()
    path.write_text(json.dumps(tables))
    with pytest.raises(DataError) as error:
        read_published(folder, PaperProtocol())
    assert error.value.problem == "the paper's table `friedman` is incomplete"
