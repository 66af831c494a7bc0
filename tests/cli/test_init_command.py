"""`backtest init`: the file is valid and commented, and replaces nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.config.reference import find_entry, list_entries
from engine.strategy import Strategy, load_strategy
from tests.pipeline.markets import market

if TYPE_CHECKING:
    from typer.testing import Result

KINDS = find_entry(list_entries(Strategy), "model").kinds

pytestmark = pytest.mark.usefixtures("working_folder")


def init(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["init", *arguments])


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_every_model_is_valid_and_comments_every_key(kind: str) -> None:
    assert init("mine", "--model", kind).exit_code == 0
    strategy = load_strategy(Path("mine.yaml"))
    assert (strategy.name, strategy.model.kind) == ("mine", kind)
    assert ("training:" in Path("mine.yaml").read_text()) == strategy.model.stochastic
    lines = Path("mine.yaml").read_text().splitlines()
    keys = [n for n, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")]
    bare = [lines[n] for n in keys if "  # " not in lines[n] and "#" not in lines[n - 1]]
    assert [line for line in bare if line.strip() not in ("",)] == []
    assert max(map(len, lines[1:])) <= 80


def test_the_next_command_is_shown() -> None:
    assert init("mine").stdout.splitlines() == [
        "mine.yaml: ridge on us-indices",
        "Next: backtest run mine.yaml",
    ]


def test_a_file_in_strategies_names_the_schema_next_to_it(working_folder: Path) -> None:
    (working_folder / "strategies").mkdir()
    (working_folder / "strategies" / "schema.json").touch()
    assert init("mine.yaml").stdout.startswith("strategies/mine.yaml: ")
    first = (working_folder / "strategies" / "mine.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=schema.json"


def test_a_schema_elsewhere_is_named_by_its_path() -> None:
    init("mine")
    first = Path("mine.yaml").read_text().splitlines()[0]
    named = Path(first.removeprefix("# yaml-language-server: $schema="))
    assert named.name == "schema.json"
    assert named.is_file()


def test_only_network_datasets_get_an_offline_dataset(working_folder: Path) -> None:
    init("far", "--data", "crypto-majors")
    assert load_strategy(Path("far.yaml")).data.offline == "us-indices"
    manifest = market(working_folder / "market")
    init("own", "--data", str(manifest))
    assert load_strategy(Path("own.yaml")).data.dataset == str(manifest)
    assert load_strategy(Path("own.yaml")).data.offline is None


def test_an_existing_file_is_replaced_only_with_force() -> None:
    init("mine")
    Path("mine.yaml").write_text("precious")
    result = init("mine")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert Path("mine.yaml").read_text() == "precious"
    assert init("mine", "--force").exit_code == 0
    assert Path("mine.yaml").read_text() != "precious"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("bad name",), 2, "letters, digits"),
        (("../up",), 2, "letters, digits"),
        (("",), 2, "letters, digits"),
        (("mine", "--model", "lstmm"), 2, "did you mean `lstm`?"),
        (("mine", "--data", "us-indice"), 3, "did you mean us-indices?"),
    ],
)
def test_an_invalid_argument_writes_nothing(
    arguments: tuple[str, ...], code: int, message: str, working_folder: Path
) -> None:
    result = init(*arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert list(working_folder.iterdir()) == []


@pytest.mark.slow
def test_the_unchanged_file_runs_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTEST_HOME", "home")
    init("mine")
    result = CliRunner().invoke(app, ["run", "mine.yaml", "--no-pages", "--quiet"])
    assert result.exit_code == 0
    assert "Verdict:" in result.stdout
