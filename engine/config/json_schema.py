"""Reads a JSON Schema: what a model accepts at a path, in words, and its default there."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pydantic import BaseModel

    from engine.config.yaml_tree import TreePath
    from engine.core.json_text import Json

JsonSchema: TypeAlias = dict[str, Any]

PACKAGED_SCHEMA = Path(__file__).with_name("schema.json")
"""Where a wheel holds the JSON Schema of strategies; pyproject.toml puts it there."""

_BOUND_PHRASES = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minLength": "of at least {} characters",
    "maxLength": "of at most {} characters",
    "pattern": "matching {}",
}
_TYPE_PHRASES = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "null": "nothing",
    "array": "a list",
}


@cache
def json_schema_of(model: type[BaseModel]) -> JsonSchema:
    """The JSON Schema of a class; not to be altered, since later calls return it too."""
    return model.model_json_schema()


class SchemaNavigator:
    """Finds parts of a model's JSON Schema, and describes them in words.

    Args:
        schema: Schema of the whole model.
    """

    def __init__(self, schema: JsonSchema) -> None:
        self._schema = schema

    @property
    def root(self) -> JsonSchema:
        """The schema of the whole model."""
        return self.resolve(self._schema)

    def locate(self, error_location: TreePath) -> tuple[TreePath, JsonSchema]:
        """Path in the file of a pydantic error, and the schema at that path.

        A pydantic location also names the member of a union (the `kind`, or a type); these parts
        are not in the file and are left out. The schema is empty where it is unknown, and that of
        the union where the value is not one of its members.
        """
        path: TreePath = ()
        schema = union = self.resolve(self._schema)
        for part in error_location:
            if "discriminator" in schema:
                schema = union = self.resolve(
                    {"$ref": schema["discriminator"]["mapping"].get(part)}
                )
            elif "anyOf" in schema:
                member = self.mapping_member(schema)
                if member.get("title") != part:
                    return path, schema
                schema = member
            else:
                path, schema = (*path, part), self._child_schema(schema, part)
                union = schema
        return path, union

    def mapping_member(self, schema: JsonSchema) -> JsonSchema:
        """The member of a union that is a mapping with keys; the schema where there is not one."""
        members = [self.resolve(option) for option in schema.get("anyOf", ())]
        mappings = [member for member in members if "properties" in member]
        return mappings[0] if len(mappings) == 1 else schema

    def default_at(self, path: TreePath) -> Json:
        """Default value at a path that the file leaves out; None where there is none.

        Paths within a union have none here, because they depend on the `kind`.
        """
        key = schema = self.resolve(self._schema)
        for part in path:
            key = schema.get("properties", {}).get(part, {}) if isinstance(part, str) else {}
            schema = self.resolve(key)
        return key.get("default")

    def takes_key(self, path: TreePath, key: str) -> bool:
        """Whether the value at a path may be a mapping with a key, whatever its `kind`."""
        schema = self.resolve(self._schema)
        for part in path:
            schema = self.mapping_member(self._child_schema(schema, part))
        return key in schema.get("properties", {})

    def expects_text(self, path: TreePath, tree: Json) -> bool:
        """Whether a path of a file may have text, and no number.

        Args:
            path: Keys and list indexes in the file.
            tree: All of the file; the `kind` of a mapping in it chooses the member of a union.
        """
        schemas, value = self._members(self._schema, tree), tree
        for part in path:
            value = value[part]
            children = [self._child_schema(schema, part) for schema in schemas]
            schemas = [member for child in children for member in self._members(child, value)]
        types = {schema.get("type") for schema in schemas}
        return "string" in types and not types & {"integer", "number"}

    def _members(self, schema: JsonSchema, value: object) -> list[JsonSchema]:
        """The schema, or the members of a union that a value may be of."""
        schema = self.resolve(schema)
        if "discriminator" in schema:
            kind = value.get("kind") if isinstance(value, dict) else None
            reference = schema["discriminator"]["mapping"].get(kind)
            return [self.resolve({"$ref": reference})] if reference else []
        options = schema.get("anyOf")
        return (
            [member for each in options for member in self._members(each, value)]
            if options
            else [schema]
        )

    def describe(self, schema: JsonSchema) -> str:
        """What the schema accepts, in words; empty where it does not restrict the value."""
        schema = self.resolve(schema)
        if "discriminator" in schema:
            return f"a mapping with `kind`: {join_words(self.choices(schema))}"
        if options := schema.get("anyOf"):
            described = [self.describe(option) for option in options]
            return join_words([word for word in described if word])
        if values := self.choices(schema):
            return join_words(values)
        if schema.get("type") == "object":
            return self._describe_mapping(schema)
        words = "a date such as 2015-01-31" if schema.get("format") == "date" else ""
        return _append_bounds(words or _TYPE_PHRASES.get(schema.get("type", ""), ""), schema)

    def choices(self, schema: JsonSchema) -> list[str]:
        """The values of a literal, or the kinds of a union; empty for any other schema."""
        if "discriminator" in schema:
            return list(schema["discriminator"]["mapping"])
        if "const" in schema:
            return [str(schema["const"])]
        options = [c for option in schema.get("anyOf", ()) for c in self.choices(option)]
        return options or [str(value) for value in schema.get("enum", ())]

    def _describe_mapping(self, schema: JsonSchema) -> str:
        keys = list(schema.get("properties", ()))
        return f"a mapping with the keys {join_words(keys, 'and')}" if keys else "a mapping"

    def _child_schema(self, schema: JsonSchema, part: str | int) -> JsonSchema:
        if isinstance(part, int):
            prefix = schema.get("prefixItems", ())
            return self.resolve(prefix[part] if part < len(prefix) else schema.get("items", {}))
        child = schema.get("properties", {}).get(part, schema.get("additionalProperties", {}))
        return self.resolve(child if isinstance(child, dict) else {})

    def resolve(self, schema: JsonSchema) -> JsonSchema:
        """Follows references, and drops the null of an optional value."""
        if schema.get("$ref"):
            name = schema["$ref"].rpartition("/")[2]
            return self.resolve(self._schema.get("$defs", {}).get(name, {}))
        options = [o for o in schema.get("anyOf", ()) if o.get("type") != "null"]
        return self.resolve(options[0]) if len(options) == 1 else schema


def join_words(words: list[str], conjunction: str = "or") -> str:
    """Joins words as `a, b or c`."""
    return f" {conjunction} ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _append_bounds(words: str, schema: JsonSchema) -> str:
    if schema.get("minLength") == 1 and words == "text":
        return "text that is not empty"
    bounds = [
        _BOUND_PHRASES[key].format(f"{schema[key]}") for key in _BOUND_PHRASES if key in schema
    ]
    return ", ".join([words, *bounds]) if words else ""


def find_schema_file() -> Path | None:
    """Path of the JSON Schema of strategies as a file; None where there is no such file.

    A wheel holds it inside the package, a source tree in `strategies/`. Its content is what
    `backtest schema` prints.
    """
    root = Path(__file__).parents[2]
    candidates = [PACKAGED_SCHEMA]
    if (root / "pyproject.toml").is_file():
        candidates.append(root / "strategies" / "schema.json")
    return next((path for path in candidates if path.is_file()), None)
