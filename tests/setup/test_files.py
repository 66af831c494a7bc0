"""The files a new user and CI rely on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from engine.core.open_kinds import built_in_kinds_only
from engine.strategy import Strategy, load_strategy

ROOT = Path(__file__).parents[2]
SCRIPTS = ["backtest", "bench", "test", "check", "constraints", "docs", "picture"]
STRATEGIES = sorted((ROOT / "strategies").glob("*.yaml"))
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==[0-9][0-9a-z.]*( ; [a-z_0-9' .*<>=!]+)?", re.I)


def constraints() -> list[str]:
    return (ROOT / "constraints.txt").read_text().splitlines()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_run_and_is_posix_shell(name: str) -> None:
    script = ROOT / "scripts" / name

    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["/bin/sh", "-n", script], check=True)


def test_constraints_are_exact_versions_and_nothing_else() -> None:
    assert [line for line in constraints() if not PIN.fullmatch(line)] == []


def test_constraints_cover_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(d for extra in extras.values() for d in extra)]
    names = {re.split(r"[\[<>=!~ ;]", item)[0].replace(".", "-").lower() for item in asked}
    pinned = {line.split("==")[0] for line in constraints()}

    assert names - pinned == {project["name"]}


def test_the_schema_beside_the_strategies_is_the_one_of_the_engine() -> None:
    written = json.loads((ROOT / "strategies" / "schema.json").read_text())

    with built_in_kinds_only():
        schema = Strategy.model_json_schema()
    assert written == schema, "run: backtest schema --built-in > strategies/schema.json"


@pytest.mark.parametrize(
    "file", sorted((ROOT / "strategies").glob("*.yaml")), ids=lambda f: f.stem
)
def test_a_shipped_strategy_is_valid_and_has_its_files_name(file: Path) -> None:
    assert load_strategy(file).name == file.stem
    assert file.read_text().startswith("# yaml-language-server: $schema=schema.json\n")
