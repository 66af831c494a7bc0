from __future__ import annotations

import tomllib
from pathlib import Path

import engine
from engine.config.json_schema import PACKAGED_SCHEMA, find_schema_file

ROOT = Path(__file__).parents[2]


def test_the_schema_in_a_wheel_is_where_the_engine_looks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    packaged = PACKAGED_SCHEMA.relative_to(Path(engine.__file__).parents[1])
    assert included["strategies/schema.json"] == packaged.as_posix()


def test_a_source_tree_has_the_schema_among_its_strategies() -> None:
    assert find_schema_file() == ROOT / "strategies" / "schema.json"
