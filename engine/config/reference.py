"""The keys of a document, each with what it takes and what it means, read from its JSON Schema.

`entries(model)` lists them all, `entries_of(schema)` those of a schema, `find(listed, path)` has
one, `under(listed, entry)` those one level below it, and `settable(listed)` the places that
`--set` takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.config.schema_text import JsonSchema, SchemaNavigator
from engine.config.validation_errors import closest_match
from engine.config.yaml_tree import dump_flow_yaml
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel

_ANY_VALUE = "any value"
_INDEX_PLACEHOLDER, _KEY_PLACEHOLDER = "N", "KEY"


@dataclass(frozen=True)
class ReferenceEntry:
    """A key of a document, or a part that it may hold.

    Attributes:
        path: Of the documentation; a part stands in it by its kind: `model.lstm.units`.
        place: The same in a file and for `--set`: `model.units`, `features.N.window`; N is the
            index in a list, KEY a name that the user chooses.
        kind: Of a part, the value of its key `kind`; empty where this is a key.
        accepts: What the value may be, in words; of a part, a mapping.
        default: The value where the key is left out, as YAML; empty where there is none.
        required: Whether the key has to be there.
        meaning: Of the key, in one paragraph; empty where this is a part.
        part: What the part does, as its docstring tells it, or the only part that the key holds.
        kinds: That a `kind` may name here; none where there is no choice of parts.
        same_as: Path of the key whose kinds these are, where they are not told here again.
    """

    path: str
    place: str
    kind: str = ""
    accepts: str = "a mapping"
    default: str = ""
    required: bool = False
    meaning: str = ""
    part: str = ""
    kinds: tuple[str, ...] = ()
    same_as: str = ""


def list_entries(model: type[BaseModel]) -> tuple[ReferenceEntry, ...]:
    """Every key of a model and every part it may hold, a key before what is in it.

    Args:
        model: Whose JSON Schema is read; keys without a meaning have an empty one.
    """
    return list_schema_entries(model.model_json_schema())


def list_schema_entries(schema: JsonSchema) -> tuple[ReferenceEntry, ...]:
    """The same of a JSON Schema, such as `strategies/schema.json`, which loads no engine."""
    read = SchemaNavigator(schema)
    return tuple(_SchemaWalker(read).walk_keys(read.root, "", "", {}))


def find_entry(entries: Sequence[ReferenceEntry], path: str) -> ReferenceEntry:
    """The entry of a path, or of the place in a file where that is clear: `benchmarks.0.side`.

    Raises:
        UsageError: There is none, or several are at that place.
    """
    for entry in entries:
        if entry.path == path:
            return entry
    place = ".".join(_INDEX_PLACEHOLDER if part.isdecimal() else part for part in path.split("."))
    there = [entry for entry in entries if not entry.kind and entry.place == place]
    if len(there) == 1:
        return there[0]
    if there:
        raise UsageError(
            f"{path} depends on the kind",
            expected=_join_with_or([entry.path for entry in there]),
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
    """The entries one level below another; without one, the top level."""
    depth = 0 if entry is None else len(entry.path.split("."))
    start = "" if entry is None else f"{entry.path}."
    return tuple(
        below
        for below in entries
        if below.path.startswith(start) and len(below.path.split(".")) == depth + 1
    )


def settable_paths(entries: Sequence[ReferenceEntry]) -> tuple[str, ...]:
    """The places that `--set` takes, each once; those in lists have an N for the index."""
    return tuple(dict.fromkeys(entry.place for entry in entries if not entry.kind))


def _join_with_or(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + words[-1]


def _describe_nearby_keys(entries: Sequence[ReferenceEntry], path: str) -> str:
    """The keys at the deepest level that the path reaches."""
    known = {entry.path: entry for entry in entries}
    parts = path.split(".")[:-1]
    while parts and ".".join(parts) not in known:
        parts.pop()
    around = known.get(".".join(parts))
    names = [entry.path.rpartition(".")[2] for entry in child_entries(entries, around)]
    where = f" in {around.path}" if around else ""
    return (
        f"a key{where}: {_join_with_or(names)}"
        if names
        else f"{'.'.join(parts)}, which holds no keys"
    )


def _suggest_path(entries: Sequence[ReferenceEntry], path: str) -> str:
    """The known path most like a wrong one, or those that end in its last key."""
    last = path.rpartition(".")[2]
    ending = [entry.path for entry in entries if entry.path.rpartition(".")[2] == last]
    near = closest_match(path, ending) or closest_match(path, [entry.path for entry in entries])
    if not closest_match(path, ending) and 0 < len(ending) <= 3:
        return f"did you mean {_join_with_or(ending)}?"
    return f"did you mean {near}?" if near else ""


class _SchemaWalker:
    """Walks a schema; `enclosing_kinds` has the choices and the keys around a place.

    What is listed around a place already, as the members of an ensemble are, is not listed again.
    """

    def __init__(self, schema: SchemaNavigator) -> None:
        self._schema = schema

    def walk_keys(
        self,
        schema: JsonSchema,
        path: str,
        place: str,
        enclosing_kinds: dict[tuple[str, ...], str],
    ) -> Iterator[ReferenceEntry]:
        required = schema.get("required", ())
        for name, key in schema.get("properties", {}).items():
            if "const" in key:  # the `kind`, which is in the path
                continue
            here = _join_path(path, name), _join_path(place, name)
            yield from self._walk_key(key, *here, enclosing_kinds, required=name in required)

    def _walk_key(
        self,
        key: JsonSchema,
        path: str,
        place: str,
        enclosing_kinds: dict[tuple[str, ...], str],
        *,
        required: bool,
    ) -> Iterator[ReferenceEntry]:
        held, inner = self._resolve_element(key, place)
        kinds = tuple(self._schema.choices(held)) if "discriminator" in held else ()
        names = kinds or tuple(held.get("properties", ()))
        same_as = enclosing_kinds.get(names, "") if names else ""
        yield ReferenceEntry(
            path,
            place,
            accepts=self._describe_accepted(key),
            default=dump_flow_yaml(self._drop_defaults(key["default"], key))
            if "default" in key
            else "",
            required=required,
            meaning=key.get("description", ""),
            part="" if kinds else held.get("description", "") if "properties" in held else "",
            kinds=kinds,
            same_as=same_as,
        )
        if same_as:
            return
        if kinds:
            yield from self._walk_parts(held, kinds, path, inner, {**enclosing_kinds, kinds: path})
        else:
            yield from self.walk_keys(held, path, inner, {**enclosing_kinds, names: path})

    def _walk_parts(
        self,
        union: JsonSchema,
        kinds: tuple[str, ...],
        path: str,
        place: str,
        enclosing_kinds: dict[tuple[str, ...], str],
    ) -> Iterator[ReferenceEntry]:
        for kind in kinds:
            part = self._resolve_kind(union, kind)
            yield ReferenceEntry(
                _join_path(path, kind), place, kind=kind, part=part.get("description", "")
            )
            yield from self.walk_keys(part, _join_path(path, kind), place, enclosing_kinds)

    def _resolve_element(self, key: JsonSchema, place: str) -> tuple[JsonSchema, str]:
        """What a key holds, or each entry of what it holds, and the place of that."""
        schema = self._schema.resolve(key)
        if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
            return self._resolve_element(schema["items"], _join_path(place, _INDEX_PLACEHOLDER))
        if isinstance(schema.get("additionalProperties"), dict):
            return self._resolve_element(
                schema["additionalProperties"], _join_path(place, _KEY_PLACEHOLDER)
            )
        return schema, place

    def _resolve_kind(self, union: JsonSchema, kind: str) -> JsonSchema:
        return self._schema.resolve({"$ref": union["discriminator"]["mapping"].get(kind)})

    def _describe_accepted(self, key: JsonSchema) -> str:
        """What a key may hold, in words: of a list its entries, of a part only that it is one."""
        if any(option.get("type") == "null" for option in key.get("anyOf", ())):
            rest = [option for option in key["anyOf"] if option.get("type") != "null"]
            return (
                f"{self._describe_accepted({'anyOf': rest} if len(rest) > 1 else rest[0])}, "
                f"or null"
            )
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
        least, most = schema.get("minItems"), schema.get("maxItems")
        bounds = {
            (False, False): "",
            (True, False): f" of at least {least}",
            (False, True): f" of at most {most}",
            (True, True): f" of {least}" if least == most else f" of {least} to {most}",
        }[least is not None, most is not None]
        return f"a list{bounds}, each {self._describe_accepted(schema.get('items', {}))}"

    def _drop_defaults(self, value: Any, key: JsonSchema) -> Any:  # noqa: ANN401 - any JSON
        """A default without what the part would have anyway."""
        schema = self._schema.resolve(key)
        if isinstance(value, list):
            return [self._drop_defaults(entry, schema.get("items", {})) for entry in value]
        if not isinstance(value, dict):
            return value
        part = self._resolve_kind(schema, value["kind"]) if "discriminator" in schema else schema
        keys = part.get("properties", {})
        return {
            name: self._drop_defaults(held, keys.get(name, {}))
            for name, held in sorted(value.items(), key=lambda item: item[0] != "kind")
            if "const" in keys.get(name, {}) or held != keys.get(name, {}).get("default")
        }


def _join_path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
