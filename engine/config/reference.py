"""Reference of the keys of a YAML file: accepted values, default and meaning.

The text comes from the JSON Schema of the file's model.

`list_entries(model)` lists all keys, `list_schema_entries(schema)` those of a schema,
`find_entry(entries, path)` returns one, `child_entries(entries, entry)` those one level below it,
and `settable_paths(entries)` the paths that `--set` accepts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.config.json_schema import JsonSchema, SchemaNavigator, json_schema_of
from engine.config.suggestions import closest_match
from engine.config.yaml_tree import dump_flow_yaml
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel

    from engine.core.json_text import Json

_ANY_VALUE = "any value"
_INDEX_PLACEHOLDER, _KEY_PLACEHOLDER = "N", "KEY"


@dataclass(frozen=True)
class ReferenceEntry:
    """A key of a YAML file, or a part that a key may contain.

    Attributes:
        path: Path in the documentation, with the kind of each part: `model.lstm.units`.
        path_in_file: Path in a file and for `--set`: `model.units`, `features.N.window`; N is an
            index in a list, KEY a name that the user chooses.
        kind: Value of a part's key `kind`; empty for a key.
        accepts: Accepted values in words; a mapping for a part.
        default: Default value as YAML; empty where there is none.
        required: Whether the key is required.
        meaning: Meaning of the key, in one paragraph; empty for a part.
        part: Docstring of the part, or of the only part that the key may contain.
        kinds: Possible values of `kind`; empty where there is no choice of parts.
        same_as: Path of the key that lists the same kinds, where they are not repeated here.
    """

    path: str
    path_in_file: str
    kind: str = ""
    accepts: str = "a mapping"
    default: str = ""
    required: bool = False
    meaning: str = ""
    part: str = ""
    kinds: tuple[str, ...] = ()
    same_as: str = ""


def list_entries(model: type[BaseModel]) -> tuple[ReferenceEntry, ...]:
    """Lists every key of a model and every part it may contain, parents before children.

    Args:
        model: The model; keys without a description have an empty meaning.
    """
    return list_schema_entries(json_schema_of(model))


def list_schema_entries(schema: JsonSchema) -> tuple[ReferenceEntry, ...]:
    """The same for a JSON Schema, such as `strategies/schema.json`, without loading the models."""
    navigator = SchemaNavigator(schema)
    return tuple(_SchemaWalker(navigator).walk_keys(navigator.root, "", "", {}))


def find_entry(entries: Sequence[ReferenceEntry], path: str) -> ReferenceEntry:
    """Finds the entry of a path, or of a path in a file if that is unique: `benchmarks.0.side`.

    Raises:
        UsageError: There is none, or several entries have that path in a file.
    """
    for entry in entries:
        if entry.path == path:
            return entry
    path_in_file = ".".join(
        _INDEX_PLACEHOLDER if part.isdecimal() else part for part in path.split(".")
    )
    matches = [entry for entry in entries if not entry.kind and entry.path_in_file == path_in_file]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(
            f"{path} depends on the kind",
            expected=_join_with_or([entry.path for entry in matches]),
            found=path,
        )
    raise UsageError(
        "there is no such key",
        expected=_describe_nearby_keys(entries, path),
        found=path,
        fix=_suggest_path(entries, path),
    )


def child_entries(
    entries: Sequence[ReferenceEntry], entry: ReferenceEntry | None = None
) -> tuple[ReferenceEntry, ...]:
    """The entries one level below `entry`, or at the top level without one."""
    depth = 0 if entry is None else len(entry.path.split("."))
    prefix = "" if entry is None else f"{entry.path}."
    return tuple(
        child
        for child in entries
        if child.path.startswith(prefix) and len(child.path.split(".")) == depth + 1
    )


def settable_paths(entries: Sequence[ReferenceEntry]) -> tuple[str, ...]:
    """The distinct paths that `--set` accepts; those in lists have N for the index."""
    return tuple(dict.fromkeys(entry.path_in_file for entry in entries if not entry.kind))


def _join_with_or(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + words[-1]


def _describe_nearby_keys(entries: Sequence[ReferenceEntry], path: str) -> str:
    """The keys at the deepest existing level of the path."""
    by_path = {entry.path: entry for entry in entries}
    parts = path.split(".")[:-1]
    while parts and ".".join(parts) not in by_path:
        parts.pop()
    parent = by_path.get(".".join(parts))
    names = [entry.path.rpartition(".")[2] for entry in child_entries(entries, parent)]
    where = f" in {parent.path}" if parent else ""
    return (
        f"a key{where}: {_join_with_or(names)}"
        if names
        else f"{'.'.join(parts)}, which has no keys"
    )


def _suggest_path(entries: Sequence[ReferenceEntry], path: str) -> str:
    """The key of the same part most like a wrong one, or the paths that end in its last key."""
    parent, dot, last = path.rpartition(".")
    beside = [
        entry.path.rpartition(".")[2]
        for entry in entries
        if entry.path.rpartition(".")[0] == parent
    ]
    if sibling := closest_match(last, beside):
        return f"did you mean {parent}{dot}{sibling}?"
    ending = [entry.path for entry in entries if entry.path.rpartition(".")[2] == last]
    near = closest_match(path, ending) or closest_match(path, [entry.path for entry in entries])
    if not closest_match(path, ending) and 0 < len(ending) <= 3:
        return f"did you mean {_join_with_or(ending)}?"
    return f"did you mean {near}?" if near else ""


class _SchemaWalker:
    """Walks a schema; `enclosing_kinds` has the unions and the keys above a key.

    A union or mapping that encloses a key is not listed again below it, which ends the recursion.
    """

    def __init__(self, schema: SchemaNavigator) -> None:
        self._schema = schema

    def walk_keys(
        self,
        schema: JsonSchema,
        path: str,
        path_in_file: str,
        enclosing_kinds: dict[tuple[str, ...], str],
    ) -> Iterator[ReferenceEntry]:
        required = schema.get("required", ())
        for name, key in schema.get("properties", {}).items():
            if "const" in key:  # the `kind`, which is in the path
                continue
            paths = _join_path(path, name), _join_path(path_in_file, name)
            yield from self._walk_key(key, *paths, enclosing_kinds, required=name in required)

    def _walk_key(
        self,
        key: JsonSchema,
        path: str,
        path_in_file: str,
        enclosing_kinds: dict[tuple[str, ...], str],
        *,
        required: bool,
    ) -> Iterator[ReferenceEntry]:
        element, inner = self._resolve_element(key, path_in_file)
        kinds = tuple(self._schema.choices(element)) if "discriminator" in element else ()
        names = kinds or tuple(element.get("properties", ()))
        same_as = enclosing_kinds.get(names, "") if names else ""
        yield ReferenceEntry(
            path,
            path_in_file,
            accepts=self._describe_accepted(key),
            default=dump_flow_yaml(self._drop_defaults(key["default"], key))
            if "default" in key
            else "",
            required=required,
            meaning=key.get("description", ""),
            part=""
            if kinds
            else element.get("description", "")
            if "properties" in element
            else "",
            kinds=kinds,
            same_as=same_as,
        )
        if same_as:
            return
        enclosing_kinds = {**enclosing_kinds, names: path}
        if kinds:
            yield from self._walk_parts(element, kinds, path, inner, enclosing_kinds)
        else:
            yield from self.walk_keys(element, path, inner, enclosing_kinds)

    def _walk_parts(
        self,
        union: JsonSchema,
        kinds: tuple[str, ...],
        path: str,
        path_in_file: str,
        enclosing_kinds: dict[tuple[str, ...], str],
    ) -> Iterator[ReferenceEntry]:
        for kind in kinds:
            part = self._resolve_kind(union, kind)
            yield ReferenceEntry(
                _join_path(path, kind), path_in_file, kind=kind, part=part.get("description", "")
            )
            yield from self.walk_keys(part, _join_path(path, kind), path_in_file, enclosing_kinds)

    def _resolve_element(self, key: JsonSchema, path_in_file: str) -> tuple[JsonSchema, str]:
        """The schema of a key's value, or of each element of a list or mapping, and its path."""
        schema = self._schema.resolve(key)
        if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
            return self._resolve_element(
                schema["items"], _join_path(path_in_file, _INDEX_PLACEHOLDER)
            )
        if isinstance(schema.get("additionalProperties"), dict):
            return self._resolve_element(
                schema["additionalProperties"], _join_path(path_in_file, _KEY_PLACEHOLDER)
            )
        return self._schema.mapping_member(schema), path_in_file

    def _resolve_kind(self, union: JsonSchema, kind: str) -> JsonSchema:
        return self._schema.resolve({"$ref": union["discriminator"]["mapping"].get(kind)})

    def _describe_accepted(self, key: JsonSchema) -> str:
        """Accepted values of a key in words, with the elements of a list."""
        if any(option.get("type") == "null" for option in key.get("anyOf", ())):
            rest = [option for option in key["anyOf"] if option.get("type") != "null"]
            accepted = self._describe_accepted({"anyOf": rest} if len(rest) > 1 else rest[0])
            return f"{accepted}, or null"
        schema = self._schema.resolve(key)
        if "discriminator" in schema:
            return "a mapping with a `kind`"
        if schema.get("type") == "array":
            return self._describe_list(schema)
        if isinstance(schema.get("additionalProperties"), dict):
            return (
                f"a mapping of names, each to "
                f"{self._describe_accepted(schema['additionalProperties'])}"
            )
        if "properties" in schema:
            return "a mapping"
        return self._schema.describe(schema) or _ANY_VALUE

    def _describe_list(self, schema: JsonSchema) -> str:
        low, high = schema.get("minItems"), schema.get("maxItems")
        bounds = {
            (False, False): "",
            (True, False): f" of at least {low}",
            (False, True): f" of at most {high}",
            (True, True): f" of {low}" if low == high else f" of {low} to {high}",
        }[low is not None, high is not None]
        return f"a list{bounds}, each {self._describe_accepted(schema.get('items', {}))}"

    def _drop_defaults(self, value: Json, key: JsonSchema) -> Json:
        """A default without the values that are the defaults of its own parts."""
        schema = self._schema.resolve(key)
        if isinstance(value, list):
            return [self._drop_defaults(entry, schema.get("items", {})) for entry in value]
        if not isinstance(value, dict):
            return value
        part = schema
        if "discriminator" in schema:  # a value without a kind is of the first one
            kinds = self._schema.choices(schema)
            part = self._resolve_kind(schema, value.get("kind", kinds[0]))
        keys = part.get("properties", {})
        return {
            name: self._drop_defaults(item, keys.get(name, {}))
            for name, item in sorted(value.items(), key=lambda pair: pair[0] != "kind")
            if "const" in keys.get(name, {}) or item != keys.get(name, {}).get("default")
        }


def _join_path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
