"""The books beside the strategy: their names, and the earlier name of their key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.book_names import name_benchmarks
from engine.core.errors import StrategyError
from engine.models import Ridge
from engine.signals.config import BuyAndHold, MovingAverageCrossover
from engine.strategy import Strategy, load_strategy

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "name: x\ndata: {dataset: us-indices}\nmodel: {kind: ridge}\n"
FIVE = tuple(MovingAverageCrossover(fast=fast, slow=50) for fast in (5, 10, 15, 20, 25))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.yaml"


def load(file: Path, text: str, **overrides: object) -> tuple[Strategy, list[str]]:
    """The strategy, and what was said while it was read."""
    notices: list[str] = []
    file.write_text(HEAD + text)
    return load_strategy(file, overrides, notices.append), notices


def test_five_benchmarks_of_one_kind_are_five_books() -> None:
    spec = Strategy(name="x", data={"dataset": "us-indices"}, model=Ridge(), benchmarks=FIVE)
    books = spec.books()
    assert list(books) == [
        "strategy",
        "ma_crossover",
        *(f"ma_crossover_{number}" for number in (2, 3, 4, 5)),
        "buy_and_hold",
    ]
    assert [book.fast for book in list(books.values())[1:-1]] == [5, 10, 15, 20, 25]


@pytest.mark.parametrize(
    ("benchmarks", "books"),
    [
        ("[]", ["buy_and_hold"]),
        ("[{kind: persistence}]", ["persistence", "buy_and_hold"]),
        ("[{kind: buy_and_hold}, {kind: persistence}]", ["buy_and_hold", "persistence"]),
    ],
)
def test_buy_and_hold_is_always_a_benchmark(file: Path, benchmarks: str, books: list[str]) -> None:
    spec, _ = load(file, f"benchmarks: {benchmarks}\n")
    assert list(spec.books())[1:] == books
    resolved = spec.model_dump(mode="json")
    assert [benchmark["kind"] for benchmark in resolved["benchmarks"]] == books
    assert Strategy.model_validate(resolved) == spec


def test_tries_elsewhere_are_none_unless_declared(file: Path) -> None:
    assert load(file, "")[0].trials.elsewhere == 0
    assert load(file, "trials: {elsewhere: 40}\n")[0].trials.elsewhere == 40


@pytest.mark.parametrize("wrong", ["-1", "many", "1.5", "1000001"])
def test_tries_elsewhere_are_a_count(file: Path, wrong: str) -> None:
    with pytest.raises(StrategyError) as caught:
        load(file, f"trials: {{elsewhere: {wrong}}}\n")
    (mistake,) = caught.value.mistakes
    assert (mistake.path, mistake.line) == ("trials.elsewhere", 4)


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        (["a", "b", "a", "b"], ["a", "b", "a_2", "b_2"]),
        (["a", "a", "a_2"], ["a", "a_2", "a_2_2"]),
        (["a_2", "a", "a", "a"], ["a_2", "a", "a_3", "a_4"]),
        (["a_2", "a_2"], ["a_2", "a_2_2"]),
        (["strategy", "strategy"], ["strategy_2", "strategy_3"]),
        ([], []),
    ],
    ids=str,
)
def test_no_two_books_have_one_name(kinds: list[str], names: list[str]) -> None:
    assert name_benchmarks(kinds) == names


def test_the_earlier_key_is_read_and_one_line_says_so(file: Path) -> None:
    spec, notices = load(file, "opponents: [{kind: buy_and_hold}]\n")
    assert spec.benchmarks == (BuyAndHold(),)
    assert notices == [
        f"{file}: the key `opponents` is now `benchmarks`; the earlier name is still read"
    ]


def test_the_new_key_is_read_without_a_notice(file: Path) -> None:
    spec, notices = load(file, "benchmarks: [{kind: buy_and_hold}]\n")
    assert (spec.benchmarks, notices) == ((BuyAndHold(),), [])


@pytest.mark.parametrize("key", ["opponents", "benchmarks"])
@pytest.mark.parametrize("override", ["opponents.0.fast", "benchmarks.0.fast"])
def test_an_override_takes_either_name_whatever_the_file_uses(
    file: Path, key: str, override: str
) -> None:
    spec, notices = load(file, f"{key}: [{{kind: ma_crossover}}]\n", **{override: 7})
    assert spec.benchmarks == (MovingAverageCrossover(fast=7), BuyAndHold())
    assert len(notices) == ("opponents" in {key, override.partition(".")[0]})


def test_a_mistake_under_the_earlier_key_has_its_line(file: Path) -> None:
    with pytest.raises(StrategyError) as caught:
        load(file, "opponents:\n  - {kind: ma_crossover, fast: 0}\n")
    (mistake,) = caught.value.mistakes
    assert (mistake.path, mistake.line) == ("benchmarks.0.fast", 5)


def test_both_names_at_once_are_a_mistake(file: Path) -> None:
    with pytest.raises(StrategyError) as caught:
        load(file, "opponents: []\nbenchmarks: []\n")
    (mistake,) = caught.value.mistakes
    assert mistake.expected == "one of `benchmarks` and `opponents`, its earlier name"
    assert mistake.line == 4


def test_the_strategy_of_an_earlier_manifest_is_read() -> None:
    tree = Strategy(
        name="x", data={"dataset": "us-indices"}, model=Ridge(), benchmarks=FIVE
    ).model_dump(mode="json")
    earlier = {("opponents" if key == "benchmarks" else key): v for key, v in tree.items()}
    assert Strategy.model_validate(earlier).model_dump(mode="json") == tree


def test_the_command_line_prints_the_notice_on_stderr_only(file: Path) -> None:
    file.write_text(HEAD + "opponents: [{kind: buy_and_hold}]\n")
    result = CliRunner().invoke(app, ["check", str(file)])
    assert result.exit_code == 0
    assert result.stderr.count("`opponents` is now `benchmarks`") == 1
    assert "opponents" not in result.stdout
