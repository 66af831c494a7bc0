from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.errors import DatasetNotFoundError, StrategyError
from engine.data.calendar import periods_per_year
from engine.data.manifests import find_manifest, list_dataset_names, read_manifest

MANIFEST = """name: mine
interval: 1d
calendar: 24/7
symbols: [X]
sources: [{kind: files, path: bars}]
"""


@pytest.fixture
def working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.yaml").write_text(MANIFEST)
    return tmp_path


@pytest.mark.usefixtures("working_directory")
def test_a_name_is_looked_up_in_the_working_directory_and_the_engine():
    names = list_dataset_names()
    assert names == sorted(names)
    assert {"crypto-majors", "mine", "us-indices", "us-large-caps-bundled"} <= {*names}
    assert find_manifest("mine") == Path("datasets/mine.yaml")
    assert find_manifest("us-indices").is_file()


def test_the_working_directory_comes_before_the_engine(working_directory):
    (working_directory / "datasets" / "us-indices.yaml").write_text(MANIFEST)
    assert find_manifest("us-indices") == Path("datasets/us-indices.yaml")


@pytest.mark.usefixtures("working_directory")
def test_an_unknown_name_is_an_error_that_lists_the_known_names():
    with pytest.raises(DatasetNotFoundError) as error:
        find_manifest("us-indexes")
    assert error.value.exit_code == 3
    assert error.value.fix == "did you mean us-indices?"
    assert "crypto-majors" in error.value.expected


def test_a_path_is_used_unchanged(working_directory):
    path = working_directory / "elsewhere.yaml"
    path.write_text(MANIFEST)
    assert find_manifest(str(path)) == path
    assert find_manifest("elsewhere.yaml") == Path("elsewhere.yaml")


@pytest.mark.usefixtures("working_directory")
@pytest.mark.parametrize("path", ["missing.yaml", "missing/bars.yml", "./missing"])
def test_a_path_without_a_file_is_an_error(path):
    with pytest.raises(DatasetNotFoundError, match="no such manifest"):
        find_manifest(path)


@pytest.mark.parametrize("path", ["prices", "./prices", "prices/BTC.csv"])
def test_a_path_of_bars_is_an_error_with_an_example_manifest(working_directory, path):
    (working_directory / "prices").mkdir()
    (working_directory / "prices" / "BTC.csv").write_text("timestamp,open\n")
    with pytest.raises(DatasetNotFoundError, match="named by a manifest") as error:
        find_manifest(path)
    assert "kind: files, path: prices" in error.value.fix
    assert len(error.value.fix.splitlines()) == 7


@pytest.mark.usefixtures("working_directory")
def test_a_manifest_is_read_with_its_folder():
    manifest = read_manifest("mine")
    assert manifest.dataset.symbols == ("X",)
    assert manifest.path.parent == Path("datasets")


def test_an_error_in_a_manifest_names_its_file(working_directory):
    (working_directory / "datasets" / "mine.yaml").write_text(
        MANIFEST.replace("interval: 1d", "interval: 1x")
    )
    with pytest.raises(StrategyError) as error:
        read_manifest("mine")
    assert "mine.yaml" in str(error.value)
    assert "interval" in str(error.value)


@pytest.mark.parametrize("name", ["crypto-majors", "us-indices"])
def test_the_shipped_manifests_are_valid(name):
    dataset = read_manifest(name).dataset
    assert dataset.name == name
    assert dataset.note
    assert periods_per_year(dataset.calendar, dataset.interval) in (252, 365)
