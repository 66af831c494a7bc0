"""What the how-tos tell a reader to write does what they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.docs.blocks import OWN_PARTS, ROOT, blocks, uses_own_part
from tests.parts.distribution import install, run_cli, run_python

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PAGES = ROOT / "docs" / "how-to"


class Page(NamedTuple):
    """Where a page's Python blocks stand: of each file, and of the script that runs it."""

    name: str
    files: dict[str, int]
    script: int


OWN = [
    Page("own-network.md", {"dlinear": 0, "last_week": 2}, 1),
    Page("own-feature.md", {"overnight_gap": 0}, 1),
    Page("own-sizing.md", {"fractional_kelly": 0}, 1),
    Page("own-benchmark.md", {"breakout": 0}, 1),
    Page("own-costs.md", {"volatility_slippage": 1}, 2),
]
PRINTED = {
    "own-network.md": r"dlinear\.Dlinear [1-9]\d*",
    "own-feature.md": r"'SP500:overnight_gap_3'.*\npassed",
    "own-sizing.md": r"mean weight 0\.\d+",
    "own-benchmark.md": r"breakout -?\d.*\nbreakout_2 -?\d",
    "own-costs.md": r"\d+\.\d+ % of the equity was paid",
}


def test_the_parts_are_those_of_the_pages() -> None:
    assert set(modules()) == set(OWN_PARTS)


def modules() -> dict[str, str]:
    """Every file of the pages."""
    return {
        module: blocks(PAGES / page.name, "python")[index]
        for page in OWN
        for module, index in page.files.items()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of all pages in one folder, as the pages describe."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "strategies").symlink_to(ROOT / "strategies")
    for module, source in modules().items():
        (folder / f"{module}.py").write_text(source)
    return folder


NEXT = "# the next script\n"
RUN_SCRIPTS = f"""
import runpy, sys
for script in sys.argv[1:]:
    print({NEXT!r}, end="")
    runpy.run_path(script, run_name="__main__")
"""


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, str]:
    """What each script prints; one process runs them all, as the imports take longest."""
    scripts = {page.name: (page, page.script) for page in OWN} | {"charge": (OWN[-1], 0)}
    for name, (page, place) in scripts.items():
        (folder / f"{name}.py").write_text(blocks(PAGES / page.name, "python")[place])
    files = [f"{name}.py" for name in scripts]
    done = run_python("-W", "error::RuntimeWarning", "-c", RUN_SCRIPTS, *files, cwd=folder)
    return dict(zip(scripts, done.stdout.split(NEXT)[1:], strict=True))


@pytest.mark.parametrize("page", OWN, ids=lambda page: page.name)
def test_the_script_of_a_page_runs_its_class(printed: dict[str, str], page: Page) -> None:
    text = printed[page.name]
    assert re.search(PRINTED[page.name], text, re.DOTALL), text


def test_a_cost_model_is_charged_on_a_finished_run(printed: dict[str, str]) -> None:
    estimate, low, high = map(float, re.findall(r"-?\d+\.\d+", printed["charge"]))
    assert low < estimate < high


def test_both_models_of_the_page_keep_the_contract_and_the_network_learns(folder: Path) -> None:
    code = """
import numpy as np
from engine.models import Adam, TrainingSpec
from engine.testing import check_model, make_example
from dlinear import Dlinear
from last_week import LastWeek
training = TrainingSpec(epochs=10, batch_size=32, optimizer=Adam(learning_rate=0.005))
check_model(LastWeek())
check_model(Dlinear(lookback=8, units=8), training=training)
window = make_example(edge=0.8)
fitted = Dlinear(lookback=8, units=8).fit(window.training_set, training, 1)
predicted = fitted.predict(window.inputs, window.test).returns
print(np.corrcoef(predicted, window.target[window.test])[0, 1])
"""
    assert float(run_python("-c", code, path=(folder,), cwd=folder).stdout) > 0.3


def test_the_files_keep_the_rules_of_the_code(folder: Path) -> None:
    config = ["--config", str(ROOT / "pyproject.toml")]
    files = [str(folder / f"{module}.py") for module in modules()]
    run_python("-m", "ruff", "check", *config, *files)
    run_python("-m", "ruff", "format", "--check", *config, *files)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the page, as pip would leave it, and the strategy that names its parts."""
    folder = tmp_path_factory.mktemp("installed")
    (pyproject,) = blocks(PAGES / "own-parts.md", "toml")
    install(folder / "site", pyproject, modules())
    (strategy,) = blocks(PAGES / "own-parts.md", "yaml")
    (folder / "acme.yaml").write_text(strategy)
    return folder


def test_the_strategy_of_the_page_runs_with_the_installed_parts(installed: Path) -> None:
    arguments = ("run", "acme.yaml", "--offline", "--no-pages", "--json")
    done = run_cli(
        *arguments, "--set", "windows.test=5y", path=(installed / "site",), cwd=installed
    )
    assert '"result": "passed"' in done.stdout
    manifest = next(installed.glob("reports/acme/*/manifest.json")).read_text()
    assert manifest.count('"distribution": "acme-parts"') == 5


def test_the_yaml_of_every_page_is_valid_with_the_installed_parts(installed: Path) -> None:
    pieces = [
        text
        for page in sorted(PAGES.glob("own-*.md"))
        for text in blocks(page, "yaml")
        if uses_own_part(text)
    ]
    assert len(pieces) >= 5
    code = f"""
from pathlib import Path
from ruamel.yaml import YAML
from engine.strategy import load_strategy
for text in {pieces!r}:
    load_strategy(Path({str(ROOT / "strategies" / "ridge.yaml")!r}), YAML(typ="safe").load(text))
"""
    run_python("-c", code, path=(installed / "site",), cwd=installed)


def test_the_command_line_knows_the_installed_parts(installed: Path) -> None:
    path = (installed / "site",)
    explained = run_cli("explain", "model.dlinear", path=path, cwd=installed).stdout
    assert "Bars of the moving average." in explained
    assert run_cli("explain", "costs.volatility_slippage", path=path, cwd=installed).stderr == ""
    check = ("check", "acme.yaml", "--set", "sizing={kind: fractional_kely}")
    assert (
        "did you mean `fractional_kelly`?"
        in run_cli(*check, path=path, cwd=installed, expect=2).stderr
    )


def test_every_file_and_name_that_the_pages_mention_exists() -> None:
    examples = {
        "engine/models/baselines/ridge.py": "class Ridge(Forecaster)",
        "engine/models/baselines/naive.py": "class Drift(_Constant)",
        "engine/features/cross_asset.py": "class CrossAsset(FeatureSpec",
    }
    for file, definition in examples.items():
        assert definition in (ROOT / file).read_text(), file
    text = "".join(page.read_text() for page in sorted((ROOT / "docs").rglob("*.md")))
    named = set(
        re.findall(r"`((?:engine|tests|scripts|strategies|datasets)/[\w/.-]+\.\w+)`", text)
    )
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).is_file()] == []
