"""YAML with comments."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from engine.config.reference import list_entries
from engine.config.yaml_tree import dump_flow_yaml, parse_yaml
from engine.config.yaml_writer import dump_commented_yaml
from engine.core.types import Spec


class Mean(Spec):
    """The mean of the last bars, which is a rule that many know and that few have tested well.

    Attributes:
        size: In bars.
    """

    kind: Literal["mean"] = "mean"
    size: int = 3


class Plan(Spec):
    """A plan.

    Attributes:
        name: For people.
        rule: Who decides.
        rules: Who else does.
    """

    name: str
    rule: Annotated[Mean, Field(discriminator="kind")] = Mean()
    rules: tuple[Annotated[Mean, Field(discriminator="kind")], ...] = ()


def test_every_line_has_its_meaning_as_a_comment() -> None:
    tree = {"name": "a: b", "rule": {"kind": "mean", "size": 5}, "rules": [{"kind": "mean"}]}
    text = dump_commented_yaml(tree, list_entries(Plan))
    assert text == (
        'name: "a: b"  # For people.\n'
        "\n"
        "# Who decides.\n"
        "rule:\n"
        "  # The mean of the last bars, which is a rule that many know and that few have\n"
        "  # tested well.\n"
        "  kind: mean\n"
        "  size: 5  # In bars.\n"
        "\n"
        "# Who else does.\n"
        "rules:\n"
        "  # The mean of the last bars, which is a rule that many know and that few have\n"
        "  # tested well.\n"
        "  - {kind: mean}\n"
    )
    assert parse_yaml(text, "x").value == tree


@pytest.mark.parametrize(
    "value",
    [
        *("3y", "24/7", "a b", "a: b", "#", "", "null", "Yes", "1e5", ".5", "5", "a, b", "{", "-"),
        *(
            "tail ",
            "C:\\x",
            "\u00e9",
            "line\nbreak",
            5,
            5.5,
            True,
            None,
            [1, "2"],
            {"a": ["b, c"]},
        ),
        *("0x1f", "1_000", "2020-01-01", "~", "*x", "&x", "!x", "a #b", "0o7", "- a", "?"),
    ],
)
def test_a_dumped_value_parses_to_itself(value: object) -> None:
    assert parse_yaml(
        f"key: {dump_flow_yaml(value)}\nlist: [{dump_flow_yaml(value)}]", "x"
    ).value == {
        "key": value,
        "list": [value],
    }
