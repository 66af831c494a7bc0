from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from engine.data.spec import Dataset
from engine.documents.reference import Entry, entries, find, settable, under
from engine.errors import UsageError
from engine.strategy import Strategy
from engine.types import Spec


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
def listed() -> tuple[Entry, ...]:
    return entries(Plan)


def test_a_key_is_told_with_what_it_accepts_its_default_and_its_meaning(
    listed: tuple[Entry, ...],
) -> None:
    assert find(listed, "rule.mean.size") == Entry(
        path="rule.mean.size",
        place="rule.size",
        accepts="a whole number, at least 1, at most 9",
        default="3",
        meaning="In bars, counted back.",
    )


def test_a_part_is_told_by_its_docstring_without_the_keys(listed: tuple[Entry, ...]) -> None:
    part = find(listed, "rule.mean")

    assert (part.kind, part.part) == ("mean", "The mean.\n\nOf the last bars.")
    assert find(listed, "rule").kinds == ("blend", "mean")


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
def test_what_a_key_accepts_and_its_default_are_told_in_words(
    listed: tuple[Entry, ...], path: str, accepts: str, default: str
) -> None:
    entry = find(listed, path)

    assert (entry.accepts, entry.default) == (accepts, default)


def test_a_part_that_may_hold_itself_is_told_once(listed: tuple[Entry, ...]) -> None:
    assert find(listed, "rule.blend.members").same_as == "rule"
    assert not any(entry.path.startswith("rule.blend.members.") for entry in listed)


def test_only_a_key_without_a_default_is_required(listed: tuple[Entry, ...]) -> None:
    assert [e.path for e in listed if e.required] == [
        *("name", "rule.blend.members", "rules.blend.members")
    ]


def test_the_levels_below_a_path(listed: tuple[Entry, ...]) -> None:
    assert [e.path for e in under(listed)] == ["name", "rule", "rules", "limit", "aliases"]
    assert [e.path for e in under(listed, find(listed, "rule"))] == ["rule.blend", "rule.mean"]


def test_a_key_is_found_by_its_place_in_a_file_where_that_is_clear(
    listed: tuple[Entry, ...],
) -> None:
    assert find(listed, "rules.0.size").path == "rules.mean.size"
    with pytest.raises(UsageError) as caught:
        find(entries(Strategy), "model.units")
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
def test_a_path_with_a_typo_is_answered_with_the_one_that_was_meant(
    listed: tuple[Entry, ...], wrong: str, meant: str
) -> None:
    with pytest.raises(UsageError) as caught:
        find(listed, wrong)

    assert caught.value.fix == f"did you mean {meant}?"


def test_the_places_that_can_be_set_name_no_kinds(listed: tuple[Entry, ...]) -> None:
    assert settable(listed) == (
        *("name", "rule", "rule.members", "rule.size"),
        *("rules", "rules.N.members", "rules.N.size", "limit", "aliases"),
    )


@pytest.mark.parametrize("model", [Strategy, Dataset])
def test_every_key_of_a_strategy_and_of_a_dataset_has_a_meaning(model: type[Spec]) -> None:
    told = entries(model)

    assert [entry.path for entry in told if not entry.kind and not entry.meaning] == []
    assert [entry.path for entry in told if entry.kind and not entry.part] == []


def test_the_meaning_of_a_key_is_in_the_schema_that_editors_read() -> None:
    schema = Strategy.model_json_schema()

    assert schema["$defs"]["Lstm"]["properties"]["units"]["description"] == "Size of each layer."
    assert "Attributes:" not in schema["$defs"]["Lstm"]["description"]
