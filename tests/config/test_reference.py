from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from engine.config.reference import (
    ReferenceEntry,
    child_entries,
    find_entry,
    list_entries,
    settable_paths,
)
from engine.core.errors import UsageError
from engine.core.types import Spec
from engine.data.config import Dataset
from engine.strategy import Strategy


class Sized(Spec):
    """Anything with a size.

    Attributes:
        size: In bars,
            counted back.
    """

    size: int = Field(default=3, ge=1, le=9)


class Mean(Sized):
    """The mean.

    Of the last bars.
    """

    kind: Literal["mean"] = "mean"


class Blend(Spec):
    """Several at once.

    Attributes:
        members: What is blended.
    """

    kind: Literal["blend"] = "blend"
    members: tuple[Annotated[Mean | Blend, Field(discriminator="kind")], ...] = Field(min_length=2)


class Plan(Spec):
    """A plan.

    Attributes:
        name: For people.
        rule: Who decides.
        rules: Who else does.
        limit: Optional.
        aliases: By symbol.
    """

    name: str
    rule: Annotated[Mean | Blend, Field(discriminator="kind")] = Mean()
    rules: tuple[Annotated[Mean | Blend, Field(discriminator="kind")], ...] = (Mean(size=4),)
    limit: Annotated[float, Field(gt=0)] | None = None
    aliases: dict[str, str] = Field(default_factory=dict)


@pytest.fixture(scope="module")
def entries() -> tuple[ReferenceEntry, ...]:
    return list_entries(Plan)


def test_a_key_has_accepted_values_default_and_meaning(
    entries: tuple[ReferenceEntry, ...],
) -> None:
    assert find_entry(entries, "rule.mean.size") == ReferenceEntry(
        path="rule.mean.size",
        path_in_file="rule.size",
        accepts="a whole number, at least 1, at most 9",
        default="3",
        meaning="In bars, counted back.",
    )


def test_a_part_has_its_docstring_without_the_keys(
    entries: tuple[ReferenceEntry, ...],
) -> None:
    part = find_entry(entries, "rule.mean")

    assert (part.kind, part.part) == ("mean", "The mean.\n\nOf the last bars.")
    assert find_entry(entries, "rule").kinds == ("blend", "mean")


@pytest.mark.parametrize(
    ("path", "accepts", "default"),
    [
        ("name", "text", ""),
        ("rule", "a mapping with a `kind`", "{kind: mean}"),
        ("rules", "a list, each a mapping with a `kind`", "[{kind: mean, size: 4}]"),
        ("limit", "a number, above 0, or null", "null"),
        ("aliases", "a mapping of names, each to text", ""),
        ("rule.blend.members", "a list of at least 2, each a mapping with a `kind`", ""),
    ],
)
def test_accepted_values_and_default_are_in_words(
    entries: tuple[ReferenceEntry, ...], path: str, accepts: str, default: str
) -> None:
    entry = find_entry(entries, path)

    assert (entry.accepts, entry.default) == (accepts, default)


def test_a_recursive_part_is_listed_once(entries: tuple[ReferenceEntry, ...]) -> None:
    assert find_entry(entries, "rule.blend.members").same_as == "rule"
    assert not any(entry.path.startswith("rule.blend.members.") for entry in entries)


def test_only_a_key_without_a_default_is_required(entries: tuple[ReferenceEntry, ...]) -> None:
    assert [e.path for e in entries if e.required] == [
        *("name", "rule.blend.members", "rules.blend.members")
    ]


def test_child_entries_are_one_level_below_a_path(entries: tuple[ReferenceEntry, ...]) -> None:
    assert [e.path for e in child_entries(entries)] == [
        "name",
        "rule",
        "rules",
        "limit",
        "aliases",
    ]
    assert [e.path for e in child_entries(entries, find_entry(entries, "rule"))] == [
        "rule.blend",
        "rule.mean",
    ]


def test_a_key_is_found_by_its_path_in_a_file_if_unique(
    entries: tuple[ReferenceEntry, ...],
) -> None:
    assert find_entry(entries, "rules.0.size").path == "rules.mean.size"
    with pytest.raises(UsageError) as caught:
        find_entry(list_entries(Strategy), "model.units")
    assert "model.gru.units" in caught.value.expected


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("rlue.mean", "rule.mean"),
        ("rule.mena", "rule.mean"),
        ("limt", "limit"),
        ("size", "rule.mean.size or rules.mean.size"),
    ],
)
def test_a_misspelt_path_gets_a_suggestion(
    entries: tuple[ReferenceEntry, ...], wrong: str, meant: str
) -> None:
    with pytest.raises(UsageError) as caught:
        find_entry(entries, wrong)

    assert caught.value.fix == f"did you mean {meant}?"


def test_settable_paths_contain_no_kinds(entries: tuple[ReferenceEntry, ...]) -> None:
    assert settable_paths(entries) == (
        *("name", "rule", "rule.members", "rule.size"),
        *("rules", "rules.N.members", "rules.N.size", "limit", "aliases"),
    )


@pytest.mark.parametrize("model", [Strategy, Dataset])
def test_every_key_of_a_strategy_and_of_a_dataset_has_a_meaning(model: type[Spec]) -> None:
    entries = list_entries(model)

    assert [entry.path for entry in entries if not entry.kind and not entry.meaning] == []
    assert [entry.path for entry in entries if entry.kind and not entry.part] == []


def test_the_schema_has_the_meaning_of_a_key() -> None:
    schema = Strategy.model_json_schema()

    assert schema["$defs"]["Lstm"]["properties"]["units"]["description"] == "Size of each layer."
    assert "Attributes:" not in schema["$defs"]["Lstm"]["description"]
