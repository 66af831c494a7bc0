"""The keys of a document, each with what it takes and what it means, read from its JSON Schema.

`entries(model)` lists them all, `entries_of(schema)` those of a schema, `find(listed, path)` has
one, `under(listed, entry)` those one level below it, and `settable(listed)` the places that
`--set` takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.documents.expectations import Expectations, Schema
from engine.documents.mistakes import closest
from engine.documents.tree import flow
from engine.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel

_ANY = "any value"
_ENTRY_OF_LIST, _KEY_OF_MAPPING = "N", "KEY"


@dataclass(frozen=True)
class Entry:
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


def entries(model: type[BaseModel]) -> tuple[Entry, ...]:
    """Every key of a model and every part it may hold, a key before what is in it.

    Args:
        model: Whose JSON Schema is read; keys without a meaning have an empty one.
    """
    return entries_of(model.model_json_schema())


def entries_of(schema: Schema) -> tuple[Entry, ...]:
    """The same of a JSON Schema, such as `strategies/schema.json`, which loads no engine."""
    read = Expectations(schema)
    return tuple(_Reader(read).keys(read.root, "", "", {}))


def find(listed: Sequence[Entry], path: str) -> Entry:
    """The entry of a path, or of the place in a file where that is clear: `opponents.0.side`.

    Raises:
        UsageError: There is none, or several are at that place.
    """
    for entry in listed:
        if entry.path == path:
            return entry
    place = ".".join(_ENTRY_OF_LIST if part.isdecimal() else part for part in path.split("."))
    there = [entry for entry in listed if not entry.kind and entry.place == place]
    if len(there) == 1:
        return there[0]
    if there:
        raise UsageError(
            f"{path} depends on the kind",
            expected=_some([entry.path for entry in there]),
            found=path,
        )
    raise UsageError(
        "there is no such key",
        expected=_keys_around(listed, path),
        found=path,
        fix=_meant(listed, path),
    )


def under(listed: Sequence[Entry], entry: Entry | None = None) -> tuple[Entry, ...]:
    """The entries one level below another; without one, the top level."""
    depth = 0 if entry is None else len(entry.path.split("."))
    start = "" if entry is None else f"{entry.path}."
    return tuple(
        below
        for below in listed
        if below.path.startswith(start) and len(below.path.split(".")) == depth + 1
    )


def settable(listed: Sequence[Entry]) -> tuple[str, ...]:
    """The places that `--set` takes, each once; those in lists have an N for the index."""
    return tuple(dict.fromkeys(entry.place for entry in listed if not entry.kind))


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + words[-1]


def _keys_around(listed: Sequence[Entry], path: str) -> str:
    """The keys at the deepest level that the path reaches."""
    known = {entry.path: entry for entry in listed}
    parts = path.split(".")[:-1]
    while parts and ".".join(parts) not in known:
        parts.pop()
    around = known.get(".".join(parts))
    names = [entry.path.rpartition(".")[2] for entry in under(listed, around)]
    where = f" in {around.path}" if around else ""
    return f"a key{where}: {_some(names)}" if names else f"{'.'.join(parts)}, which holds no keys"


def _meant(listed: Sequence[Entry], path: str) -> str:
    """The known path most like a wrong one, or those that end in its last key."""
    last = path.rpartition(".")[2]
    ending = [entry.path for entry in listed if entry.path.rpartition(".")[2] == last]
    near = closest(path, ending) or closest(path, [entry.path for entry in listed])
    if not closest(path, ending) and 0 < len(ending) <= 3:
        return f"did you mean {_some(ending)}?"
    return f"did you mean {near}?" if near else ""


class _Reader:
    """Walks a schema; `above` has the choices around a place, so that none holds itself."""

    def __init__(self, schema: Expectations) -> None:
        self._schema = schema

    def keys(
        self, schema: Schema, path: str, place: str, above: dict[tuple[str, ...], str]
    ) -> Iterator[Entry]:
        required = schema.get("required", ())
        for name, key in schema.get("properties", {}).items():
            if "const" in key:  # the `kind`, which is in the path
                continue
            here = _joined(path, name), _joined(place, name)
            yield from self._key(key, *here, above, required=name in required)

    def _key(
        self,
        key: Schema,
        path: str,
        place: str,
        above: dict[tuple[str, ...], str],
        *,
        required: bool,
    ) -> Iterator[Entry]:
        held, inner = self._held(key, place)
        kinds = tuple(self._schema.choices(held)) if "discriminator" in held else ()
        same_as = above.get(kinds, "") if kinds else ""
        yield Entry(
            path,
            place,
            accepts=self._accepts(key),
            default=flow(self._lean(key["default"], key)) if "default" in key else "",
            required=required,
            meaning=key.get("description", ""),
            part="" if kinds else held.get("description", "") if "properties" in held else "",
            kinds=kinds,
            same_as=same_as,
        )
        if not kinds:
            yield from self.keys(held, path, inner, above)
        elif not same_as:
            yield from self._parts(held, kinds, path, inner, {**above, kinds: path})

    def _parts(
        self,
        union: Schema,
        kinds: tuple[str, ...],
        path: str,
        place: str,
        above: dict[tuple[str, ...], str],
    ) -> Iterator[Entry]:
        for kind in kinds:
            part = self._member(union, kind)
            yield Entry(_joined(path, kind), place, kind=kind, part=part.get("description", ""))
            yield from self.keys(part, _joined(path, kind), place, above)

    def _held(self, key: Schema, place: str) -> tuple[Schema, str]:
        """What a key holds, or each entry of what it holds, and the place of that."""
        schema = self._schema.resolve(key)
        if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
            return self._held(schema["items"], _joined(place, _ENTRY_OF_LIST))
        if isinstance(schema.get("additionalProperties"), dict):
            return self._held(schema["additionalProperties"], _joined(place, _KEY_OF_MAPPING))
        return schema, place

    def _member(self, union: Schema, kind: str) -> Schema:
        return self._schema.resolve({"$ref": union["discriminator"]["mapping"].get(kind)})

    def _accepts(self, key: Schema) -> str:
        """What a key may hold, in words: of a list its entries, of a part only that it is one."""
        if any(option.get("type") == "null" for option in key.get("anyOf", ())):
            rest = [option for option in key["anyOf"] if option.get("type") != "null"]
            return f"{self._accepts({'anyOf': rest} if len(rest) > 1 else rest[0])}, or null"
        schema = self._schema.resolve(key)
        if "discriminator" in schema:
            return "a mapping with a `kind`"
        if schema.get("type") == "array":
            return self._list(schema)
        if isinstance(schema.get("additionalProperties"), dict):
            return f"a mapping of names, each to {self._accepts(schema['additionalProperties'])}"
        if "properties" in schema:
            return "a mapping"
        return self._schema.describe(schema) or _ANY

    def _list(self, schema: Schema) -> str:
        least, most = schema.get("minItems"), schema.get("maxItems")
        bounds = {
            (False, False): "",
            (True, False): f" of at least {least}",
            (False, True): f" of at most {most}",
            (True, True): f" of {least}" if least == most else f" of {least} to {most}",
        }[least is not None, most is not None]
        return f"a list{bounds}, each {self._accepts(schema.get('items', {}))}"

    def _lean(self, value: Any, key: Schema) -> Any:  # noqa: ANN401 - any JSON
        """A default without what the part would have anyway."""
        schema = self._schema.resolve(key)
        if isinstance(value, list):
            return [self._lean(entry, schema.get("items", {})) for entry in value]
        if not isinstance(value, dict):
            return value
        part = self._member(schema, value["kind"]) if "discriminator" in schema else schema
        keys = part.get("properties", {})
        return {
            name: self._lean(held, keys.get(name, {}))
            for name, held in sorted(value.items(), key=lambda item: item[0] != "kind")
            if "const" in keys.get(name, {}) or held != keys.get(name, {}).get("default")
        }


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
