"""What tests of several stages share."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.testing
from hypothesis import settings

from engine.core import programs
from engine.core.lazy_imports import relax_gc
from engine.trials import ledger_schema
from tests.hypothesis_examples import FAST
from tests.warm.processes import warm_processes

if TYPE_CHECKING:
    from collections.abc import Iterator

# Loaded after TensorFlow by whoever needs no connection, such as quantstats, it could make none
# for the tests that do; see `engine.core.lazy_imports.deep_bind`.
import_module("curl_cffi")

START = programs.command_of

# The libraries and the tests are a million objects that stay, as in processes of the engine.
relax_gc()


def pytest_configure(config: pytest.Config) -> None:
    """The fast part tries properties on fewer examples; the whole suite on all of them."""
    if config.getoption("markexpr") == "not slow":
        settings.load_profile(FAST)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests come first, so that no process waits long for the last module."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True, scope="session")
def _a_home_of_their_own(tmp_path_factory) -> Iterator[None]:
    """What a test runs is no trial of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKTEST_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_the_disk() -> Iterator[None]:
    """No test cuts the power, and 30 ms a transaction are long where hundreds are made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_schema, "SYNCHRONOUS", "OFF")
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_command_line() -> Iterator[None]:
    """The command line is built once a process, as for a user, and not 60 ms at every call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True, scope="session")
def _warm_processes() -> Iterator[None]:
    """Processes of runs that train or render are forks of one that has imported its libraries."""
    with warm_processes() as warm, pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "command_of", warm.command_of)
        yield


@pytest.fixture
def new_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests about processes: they are started as they are for a user."""
    monkeypatch.setattr(programs, "command_of", START)


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of real bars; its files are never part of the project."""
    folder = os.environ.get("BACKTEST_MARKET_DATA")
    if not folder:
        pytest.skip("BACKTEST_MARKET_DATA does not name a folder of real bars")
    return Path(folder)


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the tests of a module share: market, store of fits and runs."""
    return tmp_path_factory.mktemp("module")


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory during the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
