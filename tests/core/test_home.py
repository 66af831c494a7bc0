from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.errors import StorageError
from engine.core.home import HOME_PLACE, backtest_home, prepare_home


def test_a_given_home_comes_before_the_environment(monkeypatch):
    monkeypatch.setenv("BACKTEST_HOME", "elsewhere")
    assert backtest_home("given") == backtest_home(Path("given")) == Path("given")


def test_the_environment_comes_before_the_default(monkeypatch):
    monkeypatch.setenv("BACKTEST_HOME", "elsewhere")
    assert backtest_home() == Path("elsewhere")


def test_without_both_the_home_is_a_folder_of_the_working_directory(monkeypatch):
    monkeypatch.delenv("BACKTEST_HOME", raising=False)
    assert backtest_home() == Path(".backtest")
    monkeypatch.setenv("BACKTEST_HOME", "")
    assert backtest_home() == Path(".backtest")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_is_its_owners_alone(tmp_path):
    prepare_home(tmp_path / "state" / "home")
    assert mode(tmp_path / "state" / "home") == 0o700
    assert not list((tmp_path / "state" / "home").iterdir())


def test_a_home_that_exists_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    prepare_home(tmp_path)
    assert mode(tmp_path) == 0o755


@pytest.mark.parametrize("name", ["bars", "fits", "funding", "programs"])
def test_a_file_where_a_folder_of_the_home_should_be_is_refused(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(StorageError, match="BACKTEST_HOME") as caught:
        prepare_home(tmp_path)
    assert caught.value.found == f"Not a directory (ENOTDIR): {tmp_path / name}"
    assert caught.value.where == str(tmp_path)


def test_a_file_in_place_of_the_home_is_refused(tmp_path):
    (tmp_path / "home").touch()
    with pytest.raises(StorageError, match="cannot be used"):
        backtest_home(tmp_path / "home")
    for home in (tmp_path / "home", tmp_path / "home" / "below"):
        with pytest.raises(StorageError) as caught:
            prepare_home(home)
        assert caught.value.exit_code == 2
        assert "set BACKTEST_HOME" in caught.value.fix


def test_a_disk_without_space_is_refused_before_the_home_is_created(tmp_path):
    place = replace(HOME_PLACE, free_bytes=lambda _: 1000)
    with pytest.raises(StorageError, match="BACKTEST_HOME"):
        prepare_home(tmp_path / "home", place)
    assert not list(tmp_path.iterdir())
