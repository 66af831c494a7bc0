"""What the how-tos tell a reader to write does what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT, blocks

pytestmark = pytest.mark.slow

NETWORK = ROOT / "docs" / "how-to" / "own-network.md"
COSTS = ROOT / "docs" / "how-to" / "own-costs.md"
CONTRACT = Path(__file__).with_name("own_forecasters.py")


def python(*arguments: str, cwd: Path = ROOT) -> str:
    """A process of its own, whose libraries may warn."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The page's two forecasters, as the files that it says they are."""
    folder = tmp_path_factory.mktemp("models")
    made = []
    for name, code in zip(("dlinear", "last_week"), blocks(NETWORK, "python"), strict=True):
        made.append(folder / f"{name}.py")
        made[-1].write_text(code)
    return made


@pytest.fixture(scope="module")
def found(files: list[Path]) -> dict[str, dict[str, Any]]:
    return json.loads(python(str(CONTRACT), *map(str, files)))


@pytest.mark.parametrize("name", ["Dlinear", "LastWeek"])
def test_a_forecaster_of_the_page_keeps_the_contract(found, name: str) -> None:
    assert {rule for rule, kept in found[name].items() if kept is False} == set()


def test_the_network_learns_a_planted_edge(found) -> None:
    assert found["Dlinear"]["correlation"] > 0.3


def test_the_network_is_a_choice_of_the_strategy_s_union(found) -> None:
    assert found["Dlinear"]["chosen"] == {"kind": "dlinear", "smoothing": 10, "lookback": 30}


def test_both_keep_the_rules_of_the_code(files: list[Path]) -> None:
    config = ["--config", str(ROOT / "pyproject.toml")]
    python("-m", "ruff", "check", *config, *map(str, files))
    python("-m", "ruff", "format", "--check", *config, *map(str, files))


def test_where_the_page_says_a_member_is_added_there_is_such_a_place() -> None:
    union = (ROOT / "engine" / "models" / "__init__.py").read_text()
    contract = (ROOT / "tests" / "models" / "test_networks.py").read_text()
    assert "Model = Annotated[\n    Lstm\n    | Gru\n" in union
    assert "NETWORKS = {" in contract


def test_a_cost_model_of_one_s_own_is_charged_on_a_finished_run(tmp_path: Path) -> None:
    (code,) = blocks(COSTS, "python")
    (tmp_path / "strategies").symlink_to(ROOT / "strategies")
    (tmp_path / "charge.py").write_text(code)

    printed = python("-W", "error", "charge.py", cwd=tmp_path)

    estimate, low, high = map(float, re.findall(r"-?\d+\.\d+", printed))
    assert low < estimate < high


def test_every_file_and_name_that_the_pages_send_a_reader_to_is_there() -> None:
    places = {
        "engine/simulation/config.py": "class Costs",
        "engine/simulation/fills.py": "def fill_books",
        "engine/simulation/portfolio.py": "def _growth",
        "engine/selftest/cost_check.py": "COST_SCENARIOS = (",
        "engine/models/baselines/ridge.py": "class Ridge(Forecaster)",
        "engine/models/baselines/drift.py": "class Drift(Forecaster)",
    }
    for file, text in places.items():
        assert text in (ROOT / file).read_text(), file
    told = "".join(page.read_text() for page in sorted((ROOT / "docs").rglob("*.md")))
    named = set(
        re.findall(r"`((?:engine|tests|scripts|strategies|datasets)/[\w/.-]+\.\w+)`", told)
    )
    written_by_the_reader = {"engine/models/dlinear.py"}
    assert len(named) > 20
    assert [name for name in named - written_by_the_reader if not (ROOT / name).is_file()] == []
