"""Bounds on a YAML file, and the one form of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.config import parse_grid, parse_overrides, parse_yaml
from engine.config.yaml_bounds import YamlBounds
from engine.core.errors import StrategyError, UsageError
from engine.core.numbers import parse_number, parse_whole_number
from tests.cli.command_tree import COMMANDS, invoke, parameters

if TYPE_CHECKING:
    from pathlib import Path

NESTED_ALIASES = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n"
"""A mapping, then 5, 14 and 41 keys, lists and values in the three lines."""

ARABIC_THREE = "\N{ARABIC-INDIC DIGIT THREE}"
FULL_WIDTH = "\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT TWO}"


def refused(text: str, **bounds: int) -> str:
    with pytest.raises(StrategyError) as caught:
        parse_yaml(text, "file.yaml", YamlBounds(**bounds))
    return str(caught.value)


def test_what_an_alias_repeats_is_counted_each_time() -> None:
    assert "at most 20 keys and values" in refused(NESTED_ALIASES, nodes=20)
    assert "line 2" in refused(NESTED_ALIASES, nodes=19)
    assert "line 3" in refused(NESTED_ALIASES, nodes=60)
    assert len(parse_yaml(NESTED_ALIASES, "file.yaml", YamlBounds(nodes=61)).value["c"][2]) == 3


@pytest.mark.parametrize("count", [1, 5, 30])
def test_the_count_is_that_of_the_values_that_are_made(count: int) -> None:
    """A mapping of one key to a list: the mapping, its key, the list, and the elements."""
    text = f"key: [{', '.join('x' * count)}]"
    assert len(parse_yaml(text, "f", YamlBounds(nodes=count + 3)).value["key"]) == count
    assert "keys and values" in refused(text, nodes=count + 2)


def test_nesting_is_bounded_also_inside_of_what_an_alias_repeats() -> None:
    text = "a: &a [[x]]\nb: [[*a]]\n"
    assert parse_yaml(text, "f", YamlBounds(depth=5)).value["b"] == [[[["x"]]]]
    assert "at most 4 levels of nesting" in refused(text, depth=4)
    assert "levels of nesting" in refused("[" * 600)


@pytest.mark.parametrize("text", ["a: &a [*a, *a]", "a: &a {b: [*a]}", "&a [*a]"])
def test_a_value_cannot_contain_itself(text: str) -> None:
    assert "values that end" in refused(text)


def test_anchors_of_an_honest_file_repeat_values() -> None:
    text = "a: &costs {fee: 1}\nb: *costs\nc: [*costs, *costs]\n"
    costs = {"fee": 1}
    assert parse_yaml(text, "f").value == {"a": costs, "b": costs, "c": [costs, costs]}


def test_a_file_with_very_many_mistakes_shows_the_first(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("".join(f"key_{number}: 1\n" for number in range(80)))
    result = CliRunner().invoke(app, ["check", str(tmp_path / "s.yaml")])
    assert result.exit_code == 2
    assert result.stderr.count("expected:") == 50
    assert "and 33 more" in result.stderr


@pytest.mark.parametrize("text", ["3", "-3", "+3", " 40 ", "1_000"])
def test_whole_numbers_have_the_digits_0_to_9(text: str) -> None:
    assert parse_whole_number(text) == int(text)
    assert parse_number(text) == float(text)


@pytest.mark.parametrize("text", ["1.5", ".5", "5.", "-2e-3", "1E6"])
def test_numbers_have_a_point_and_an_exponent(text: str) -> None:
    assert parse_number(text) == float(text)
    with pytest.raises(ValueError, match="not a whole number"):
        parse_whole_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "nan", "inf", "1e999", "0x10", "1__0", "_1", "1_", "1,5", "9" * 401),
        *(ARABIC_THREE, FULL_WIDTH, f"1.{ARABIC_THREE}", "\N{SUPERSCRIPT TWO}"),
    ],
)
def test_any_other_text_is_no_number(text: str) -> None:
    for parse in (parse_number, parse_whole_number):
        with pytest.raises(ValueError, match="not a"):
            parse(text)


@pytest.mark.parametrize(
    "value", [ARABIC_THREE, FULL_WIDTH, "1__000", "1e999", ".inf", "nan", "yes", "9" * 500]
)
def test_set_and_grid_take_the_same_numbers(value: str, tmp_path: Path) -> None:
    strategy = tmp_path / "s.yaml"
    strategy.write_text("name: s\ndata: {dataset: us-indices}\nmodel: {kind: ridge}\n")
    setting = f"signal.enter_bps={value}"
    for arguments in (
        ["check", str(strategy), "--set", setting],
        ["run", str(strategy), "--grid", f"{setting},3"],
    ):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2
        assert "enter_bps" in result.stderr
        assert "fault of the engine" not in result.stderr


def test_a_number_in_other_digits_is_suggested_in_0_to_9(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        f"name: s\ndata: {{dataset: us-indices}}\nmodel: {{kind: ridge}}\nseed: {FULL_WIDTH}\n"
    )
    result = CliRunner().invoke(app, ["check", str(tmp_path / "s.yaml")])
    assert "in the digits 0 to 9 only, and without quotes: 12" in result.stderr


def test_an_index_has_the_digits_0_to_9(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "name: s\ndata: {dataset: us-indices}\nmodel: {kind: ridge}\n"
        "benchmarks: [{kind: buy_and_hold}, {kind: ma_crossover}]\n"
    )
    path = f"benchmarks.{ARABIC_THREE.replace(ARABIC_THREE, chr(0x661))}.fast=5"
    assert parse_overrides([path])
    result = CliRunner().invoke(app, ["check", str(tmp_path / "s.yaml"), "--set", path])
    assert result.exit_code == 2
    assert "an index below 2" in result.stderr


def test_a_value_of_a_grid_that_stands_twice_is_found_among_many() -> None:
    values = ", ".join(map(str, range(2_000)))
    assert len(parse_grid([f"seed={values}"])["seed"]) == 2_000
    with pytest.raises(UsageError, match="twice"):
        parse_grid([f"seed={values}, 7"])
    with pytest.raises(UsageError, match="twice"):
        parse_grid(["model={kind: ridge},{kind: ridge}"])


@pytest.mark.parametrize("value", [ARABIC_THREE, FULL_WIDTH, "1.0", "nan", "0x10", "1e3"])
def test_options_take_the_same_numbers(value: str) -> None:
    result = CliRunner().invoke(app, ["run", "s.yaml", "--workers", value])
    assert result.exit_code == 2
    assert "not a whole number in the digits 0 to 9" in result.stderr


def test_a_very_long_key_is_shown_in_part(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(f"? {'k' * 20_000}\n: 1\n")
    result = CliRunner().invoke(app, ["check", str(tmp_path / "s.yaml")])
    assert result.exit_code == 2
    assert "k... and 16,00" in result.stderr
    assert len(result.stderr) < 20_000


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_that_takes_a_whole_number_takes_the_same(path: tuple[str, ...]) -> None:
    """`parser=whole_number(min=...)` instead of `min=...`: Python's `int` takes other digits."""
    for each in parameters(path):
        if each.metavar == "N":
            result = invoke(path, *(["x"] if path != ("selftest",) else []), each.flag, FULL_WIDTH)
            assert result.exit_code == 2
            assert "digits 0 to 9" in result.stderr or "a number of tries" in result.stderr
