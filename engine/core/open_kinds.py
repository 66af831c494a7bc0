"""Unions of kinds: a strategy chooses among built-in parts, installed parts and a user's own.

`Model = Annotated[Forecaster, OpenKinds("backtest.models", Forecaster)]` validates

- in a file, a mapping whose `kind` is one of the engine's or of an installed distribution's,
- in Python, also any instance of the base class.

The schema of such a union is built when a model that contains it is first used (`defer_build`),
because installed packages import the engine. As in pydantic's own discriminated unions, the
location of an error contains the kind.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NoReturn

from pydantic_core import PydanticCustomError, PydanticOmit, core_schema

from engine.core.installed_kinds import (
    InstalledKinds,
    find_class_fault,
    installed_kinds,
    part_kind,
)
from engine.core.part_origin import is_built_in, iterate_specs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

    from engine.core.errors import UsageError
    from engine.core.json_text import Json
    from engine.core.types import Spec

UNUSABLE_KIND = "unusable_kind"
"""Type of pydantic's error for a kind with an entry point that cannot be used."""

_BUILT_IN_ONLY: ContextVar[bool] = ContextVar("built_in_only", default=False)
_UNIONS: list[OpenKinds] = []


@contextmanager
def built_in_kinds_only() -> Iterator[None]:
    """JSON Schemas built within the context contain the engine's own kinds only."""
    token = _BUILT_IN_ONLY.set(True)
    try:
        yield
    finally:
        _BUILT_IN_ONLY.reset(token)


def list_kind_faults() -> list[UsageError]:
    """Errors of all entry points of this environment that cannot be used, without duplicates."""
    errors = {str(error): error for union in _UNIONS for error in union.installed.faults}
    return list(errors.values())


def list_ignored_kinds(value: Spec) -> list[UsageError]:
    """Errors of installed kinds that a built-in kind of the strategy has replaced."""
    named = {getattr(spec, "kind", "") for spec in iterate_specs(value)}
    ignored = {kind: e for union in _UNIONS for kind, e in union.installed.ignored.items()}
    return [error for kind, error in sorted(ignored.items()) if kind in named]


class OpenKinds:
    """Annotation of a base class: the kinds that a strategy may choose from.

    Args:
        group: Entry-point group of installed kinds.
        bases: A part is an instance of one of these.
        built_in: The engine's own classes; others can be added until the union is first used.
        default_kind: Kind of a mapping without `kind`; if empty, `kind` is required.
    """

    def __init__(
        self,
        group: str,
        bases: tuple[type[Spec], ...],
        built_in: tuple[type[Spec], ...] = (),
        default_kind: str = "",
    ) -> None:
        self.group = group
        self.bases = bases
        self.built_in = built_in
        self._default_kind = default_kind
        _UNIONS.append(self)

    def add(self, *parts: type[Spec]) -> None:
        """Adds classes of the engine that are defined after the union is."""
        self.built_in = (*self.built_in, *parts)

    @property
    def installed(self) -> InstalledKinds:
        """The kinds that installed distributions offer."""
        return installed_kinds(self.group, self.bases, frozenset(map(part_kind, self.built_in)))

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """A union tagged by `kind`; in Python, also instances of the base class."""
        found = self.installed
        parts = [*self.built_in, *(each.part for each in found.usable.values())]
        choices = {part_kind(part): handler.generate_schema(part) for part in parts}
        choices |= {kind: _refusal(error) for kind, error in found.unusable.items()}
        tagged: core_schema.CoreSchema = core_schema.tagged_union_schema(
            choices,
            discriminator=self._read_kind if self._default_kind else "kind",
            from_attributes=True,
        )
        if list(choices) == [self._default_kind]:  # no choice, and no kind in a location
            tagged = choices[self._default_kind]
        return core_schema.json_or_python_schema(
            json_schema=tagged,
            python_schema=core_schema.no_info_wrap_validator_function(self._validate, tagged),
            serialization=core_schema.wrap_serializer_function_ser_schema(
                self._serialize, info_arg=True, schema=tagged
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """`oneOf` with a discriminator, without the kinds that cannot be used."""
        found = handler(schema)
        if "oneOf" not in found:
            return found
        kinds = [*map(part_kind, self.built_in), *self.installed.usable]
        references = (option["$ref"] for option in found["oneOf"])
        mapping = dict(zip(kinds, references, strict=True))
        if _BUILT_IN_ONLY.get():
            mapping = {kind: mapping[kind] for kind in map(part_kind, self.built_in)}
        if list(mapping) == [self._default_kind]:
            return {"$ref": mapping[self._default_kind]}
        found["discriminator"] = {"mapping": mapping, "propertyName": "kind"}
        found["oneOf"] = [{"$ref": reference} for reference in mapping.values()]
        return found

    def _validate(
        self, value: object, handler: core_schema.ValidatorFunctionWrapHandler
    ) -> object:
        if not isinstance(value, self.bases) or is_built_in(type(value)):
            return handler(value)
        kind = part_kind(type(value))
        expected, instead = find_class_fault(type(value), self.bases) or ("", "")
        if kind in map(part_kind, self.built_in):
            expected = "a kind that the engine does not have"
            instead = f"the kind `{kind}` of {type(value).__name__}"
        if expected:
            raise PydanticCustomError(
                "value_error", "{error}", {"error": f"{expected}, not {instead}"}
            )
        return value

    def _serialize(
        self,
        value: object,
        handler: core_schema.SerializerFunctionWrapHandler,
        info: core_schema.SerializationInfo,
    ) -> object:
        if type(value) in self.built_in or not isinstance(value, self.bases):
            return handler(value)
        return value.model_dump(mode=info.mode)

    def _read_kind(self, value: Json) -> object:
        if isinstance(value, dict):
            return value.get("kind", self._default_kind)
        return getattr(value, "kind", None)


def _refusal(error: UsageError) -> core_schema.CoreSchema:
    """A choice that always raises the error of its kind, and that JSON Schemas omit."""

    def refuse(_: object) -> NoReturn:
        context = {name: getattr(error, name) for name in ("expected", "found", "where", "fix")}
        raise PydanticCustomError(
            UNUSABLE_KIND,
            "{problem}: expected {expected}, found {found}, in {where}; {fix}",
            {"problem": error.problem, **context},
        )

    def omit(*_: object) -> NoReturn:
        raise PydanticOmit

    return core_schema.no_info_plain_validator_function(
        refuse, metadata={"pydantic_js_functions": [omit]}
    )
