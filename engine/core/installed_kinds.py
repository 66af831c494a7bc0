"""Kinds of parts that installed packages offer under an entry-point group.

A distribution offers a part by an entry point whose name is the part's kind:

    [project.entry-points."backtest.models"]
    dlinear = "acme_models.dlinear:Dlinear"

No function raises for a faulty entry point: the entry point is returned with its error, and the
others can be used.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Literal, cast, get_args, get_origin

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.core.types import Spec

MODELS_GROUP = "backtest.models"
FEATURES_GROUP = "backtest.features"
SIZINGS_GROUP = "backtest.sizings"
COSTS_GROUP = "backtest.costs"
BENCHMARKS_GROUP = "backtest.benchmarks"


@dataclass(frozen=True)
class InstalledKind:
    """A part that an installed distribution offers.

    Attributes:
        part: The class.
        distribution: Distribution whose entry point names it.
        version: Version of the distribution.
    """

    part: type[Spec]
    distribution: str
    version: str


@dataclass(frozen=True)
class InstalledKinds:
    """The kinds of one entry-point group, usable or not.

    Attributes:
        usable: Kind -> its part.
        unusable: Kind -> the error that prevents its use.
        ignored: Kind -> the error of an entry point named as a kind of the engine.
    """

    usable: Mapping[str, InstalledKind] = field(default_factory=dict)
    unusable: Mapping[str, UsageError] = field(default_factory=dict)
    ignored: Mapping[str, UsageError] = field(default_factory=dict)

    @property
    def faults(self) -> list[UsageError]:
        """Every error, by kind."""
        return [error for _, error in sorted({**self.unusable, **self.ignored}.items())]


@cache
def _entry_points() -> metadata.EntryPoints:
    """All of this environment: each search of it opens a file of every distribution."""
    # Python 3.11 types the same answer as a class that 3.12 has no more.
    return cast("metadata.EntryPoints", metadata.entry_points())


@cache
def installed_kinds(
    group: str, bases: tuple[type[Spec], ...], built_in: frozenset[str]
) -> InstalledKinds:
    """The kinds of a group in this environment, read once per process.

    Args:
        group: Entry-point group.
        bases: A part is a subclass of one of these.
        built_in: Kinds of the engine's own, which no distribution replaces.
    """
    return load_kinds(_entry_points().select(group=group), bases, built_in)


def installed_distribution(part: type[Spec]) -> tuple[str, str] | None:
    """Name and version of the distribution whose entry point offers a class, None if none does."""
    for group in (MODELS_GROUP, FEATURES_GROUP, SIZINGS_GROUP, COSTS_GROUP, BENCHMARKS_GROUP):
        for entry in _entry_points().select(group=group):
            if entry.value == f"{part.__module__}:{part.__qualname__}" and entry.dist:
                return entry.dist.name, entry.dist.version
    return None


def load_kinds(
    entry_points: Iterable[metadata.EntryPoint],
    bases: tuple[type[Spec], ...],
    built_in: frozenset[str],
) -> InstalledKinds:
    """The kinds that some entry points offer.

    Args:
        entry_points: Entry points of one group; equal ones count once.
        bases: A part is a subclass of one of these.
        built_in: Kinds of the engine's own.
    """
    usable: dict[str, InstalledKind] = {}
    unusable: dict[str, UsageError] = {}
    ignored: dict[str, UsageError] = {}
    for kind, rivals in _group_by_kind(entry_points).items():
        first = rivals[0]
        if kind in built_in:
            ignored[kind] = _error(
                first,
                f"the kind `{kind}` is the engine's own and is not replaced",
                "a kind that the engine does not have",
                f"`{kind}`",
                f"rename the kind in {_describe_distribution(first)}",
            )
        elif len(rivals) > 1:
            unusable[kind] = _error(
                first,
                f"the kind `{kind}` is offered twice",
                "one distribution that offers a kind",
                " and ".join(map(_describe_distribution, rivals)),
                "uninstall one of them",
            )
        else:
            loaded = _load_part(first, bases)
            if isinstance(loaded, UsageError):
                unusable[kind] = loaded
            else:
                usable[kind] = InstalledKind(loaded, *_name_and_version(first))
    return InstalledKinds(usable, unusable, ignored)


def _group_by_kind(
    entry_points: Iterable[metadata.EntryPoint],
) -> dict[str, list[metadata.EntryPoint]]:
    """Kind -> its entry points, sorted; one distribution found twice on the path counts once."""
    groups: dict[str, dict[tuple[str, str], metadata.EntryPoint]] = {}
    for entry in sorted(entry_points, key=lambda each: (each.name, each.value)):
        name, _ = _name_and_version(entry)
        groups.setdefault(entry.name, {}).setdefault((name, entry.value), entry)
    return {kind: list(entries.values()) for kind, entries in groups.items()}


def _load_part(
    entry: metadata.EntryPoint, bases: tuple[type[Spec], ...]
) -> type[Spec] | UsageError:
    try:
        part = entry.load()
    except Exception as error:  # noqa: BLE001 - an import may raise any error
        return _error(
            entry,
            f"the kind `{entry.name}` cannot be imported",
            "an entry point that can be imported",
            f"{type(error).__name__}: {error}",
            f"correct or uninstall {_describe_distribution(entry)}",
        )
    fault = find_class_fault(part, bases)
    if fault is None and part_kind(part) != entry.name:
        fault = (
            "an entry point named as the kind of its class",
            f"the name `{entry.name}` and the kind `{part_kind(part)}`",
        )
    if fault is None:
        checked: type[Spec] = part
        return checked
    expected, found = fault
    return _error(
        entry,
        f"the kind `{entry.name}` breaks a rule of its base class",
        expected,
        found,
        f"correct or uninstall {_describe_distribution(entry)}",
    )


def find_class_fault(part: object, bases: tuple[type[Spec], ...]) -> tuple[str, str] | None:
    """The rule that a part's class breaks and what was found; None for a valid class."""
    names = " or ".join(base.__name__ for base in bases)
    if not inspect.isclass(part) or not issubclass(part, bases):
        return f"a subclass of {names}", repr(part)
    if inspect.isabstract(part):
        lacking = ", ".join(sorted(part.__abstractmethods__))
        return f"every abstract method of {names}", f"{part.__name__} without {lacking}"
    if not part_kind(part):
        return (
            'a field `kind: Literal["name"] = "name"`',
            f"{part.__name__} without such a field",
        )
    if not part.model_config.get("frozen"):
        return "a frozen class", f"{part.__name__} with `frozen` switched off"
    return None


def part_kind(part: type[Spec]) -> str:
    """The one value of a class's field `kind`; empty where it has no such field."""
    field_info = part.model_fields.get("kind")
    if field_info is None or get_origin(field_info.annotation) is not Literal:
        return ""
    values = get_args(field_info.annotation)
    return str(values[0]) if len(values) == 1 and values[0] == field_info.default else ""


def _error(
    entry: metadata.EntryPoint, problem: str, expected: str, found: str, fix: str
) -> UsageError:
    where = (
        f"{_describe_distribution(entry)}, entry point `{entry.name} = {entry.value}` of the "
        f"group {entry.group}"
    )
    return UsageError(problem, expected=expected, found=found, where=where, fix=fix)


def _describe_distribution(entry: metadata.EntryPoint) -> str:
    return " ".join(_name_and_version(entry))


def _name_and_version(entry: metadata.EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("unnamed", "0")
