"""What tests of several stages share."""

from __future__ import annotations

import gc
import os
import sys
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

    from tests.warm.processes import WarmProcesses

# Loaded after TensorFlow by whoever needs no connection, such as quantstats, it could make none
# for the tests that do; see `engine.core.lazy_imports.deep_bind`.
import_module("curl_cffi")

START = programs.command_of
ROOT = Path(__file__).parent

# The libraries and the tests are a million objects that stay, as in processes of the engine.
relax_gc()


def pytest_configure(config: pytest.Config) -> None:
    """The fast part tries properties on fewer examples; the whole suite on all of them."""
    if config.getoption("markexpr") == "not slow":
        settings.load_profile(FAST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One process more than cores for the slow part, which waits a fifth of its time."""
    if config.getoption("markexpr") == "not slow":
        return None
    return (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1) + 1


LONGEST = (
    *("models/test_networks.py", "faults/test_trouble_of_runs.py", "benchmarks/test_bench.py"),
    *("live/test_shipped_strategies.py", "live/test_replay.py", "training/test_ray_executor.py"),
    *("leakage/test_honest_strategies.py", "faults/test_memory.py"),
    *("models/test_joint_forecasts.py", "testing/test_contracts.py", "backtest/test_run.py"),
)
"""Modules of half a minute and more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules come first, so that no process waits long for the last one.

    Modules with slow tests follow, then the others.
    """
    rank = {ROOT / name: place for place, name in enumerate(LONGEST)}
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (rank.get(item.path, len(rank)), item.path not in slow))


def pytest_collection_finish() -> None:
    """Collections of garbage leave out the libraries and tests: each took a second and a half."""
    gc.freeze()


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
def warm() -> Iterator[WarmProcesses]:
    """Processes of runs that train or render are forks of one that has imported its libraries."""
    with warm_processes() as warm, pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "command_of", warm.command_of)
        yield warm


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
