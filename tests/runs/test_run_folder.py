"""A run folder is complete or absent, and a run's id is decided by its inputs."""

from __future__ import annotations

import os
import re
import time
from importlib import metadata

import pytest

from engine.core.errors import UsageError
from engine.core.hashing import canonical_json
from engine.core.versions import collect_versions
from engine.runs.folder import STALE_AFTER_S, atomic_directory
from engine.runs.run import Run, compute_run_id

DATA = [("interval", "1d"), ("A", "aa"), ("B", "bb")]


def test_a_folder_appears_whole(tmp_path) -> None:
    target = tmp_path / "small" / "abc"
    with atomic_directory(target) as draft:
        (draft / "manifest.json").write_text("{}")
        assert not target.exists()
    assert [file.name for file in target.iterdir()] == ["manifest.json"]
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path, failure) -> None:
    def fail() -> None:
        with atomic_directory(tmp_path / "small" / "abc") as draft:
            (draft / "half").write_text("")
            raise failure

    with pytest.raises(failure):
        fail()
    assert list((tmp_path / "small").iterdir()) == []


def test_a_failure_keeps_the_folder_that_was_there(tmp_path) -> None:
    target = tmp_path / "abc"
    with atomic_directory(target) as draft:
        (draft / "old").write_text("")
    with pytest.raises(RuntimeError), atomic_directory(target):
        raise RuntimeError
    assert [file.name for file in target.iterdir()] == ["old"]


def test_the_same_id_replaces_the_folder(tmp_path) -> None:
    for name in ("old", "new"):
        with atomic_directory(tmp_path / "abc") as draft:
            (draft / name).write_text("")
    assert [file.name for file in (tmp_path / "abc").iterdir()] == ["new"]


def test_drafts_of_killed_processes_are_removed_after_a_day(tmp_path) -> None:
    old, young = (tmp_path / f".0123456789ab.{pid}" for pid in (7, 8))
    for draft, age_s in ((old, STALE_AFTER_S + 60), (young, STALE_AFTER_S - 60)):
        draft.mkdir()
        (draft / "half").write_text("")
        os.utime(draft, (time.time() - age_s,) * 2)
    with atomic_directory(tmp_path / "abc"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "abc"]


def test_an_id_does_not_depend_on_the_order_of_keys_but_on_that_of_symbols() -> None:
    one = compute_run_id({"a": 1, "b": 2}, DATA, {"x": "1"})
    assert one == compute_run_id({"b": 2, "a": 1}, DATA, {"x": "1"})
    assert one != compute_run_id({"a": 1, "b": 2}, [DATA[0], DATA[2], DATA[1]], {"x": "1"})
    assert len(one) == 12


@pytest.mark.parametrize("part", range(3))
def test_an_id_depends_on_strategy_data_and_versions(part: int) -> None:
    inputs = [{"a": 1}, DATA, {"x": "1"}]
    others = [{"a": 2}, [*DATA[:2], ("B", "cc")], {"x": "2"}]
    changed = [*inputs[:part], others[part], *inputs[part + 1 :]]
    assert compute_run_id(*changed) != compute_run_id(*inputs)


def test_numbers_without_a_json_form_are_refused_in_an_id() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"a": float("nan")})


def test_versions_name_the_engine_and_each_of_its_stages() -> None:
    versions = collect_versions("tensorflow")
    assert versions["backtest-engine"] == metadata.version("backtest-engine")
    assert re.fullmatch(r"data \d+, features \d+, .*models \d+, .*leakage \d+", versions["stages"])
    assert {"python", "numpy", "pandas", "keras", "tensorflow", "vectorbt"} <= set(versions)


def test_a_folder_that_is_not_a_run_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        Run.open(tmp_path)
