"""Loads a YAML file as a frozen specification."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from engine.config.json_schema import SchemaNavigator, json_schema_of
from engine.config.overrides import apply_overrides
from engine.config.suggestions import closest_match
from engine.config.validation_errors import HIDDEN_VALUE, find_rewritten_text, to_mistakes
from engine.config.yaml_tree import parse_yaml
from engine.core.errors import Mistake, StrategyError, UsageError
from engine.core.limits import MAX_YAML_BYTES
from engine.core.read_file import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.config.yaml_tree import TreePath, YamlTree
    from engine.core.types import Spec

T = TypeVar("T", bound="Spec")
V = TypeVar("V")


def load_config(
    path: Path,
    model: type[T],
    overrides: Mapping[str, object] | None = None,
    notify: Callable[[str], None] | None = None,
    *,
    may_hold_secrets: bool = False,
) -> T:
    """Reads a YAML file into `model`.

    Args:
        path: The file.
        model: Class of the specification.
        overrides: Dotted path to the value that replaces the file's, `benchmarks.0.fast: 10`.
        notify: Receives one line where the file or an override uses the earlier name of a key.
        may_hold_secrets: Whether a secret may stand in the file by mistake: text that is no YAML
            is not quoted then. Values of keys are hidden by `writeOnly` in the schema.

    Raises:
        UsageError: There is no such file, or it cannot be opened.
        StrategyError: The file or the overrides are invalid; has all mistakes.
    """
    tree = _parse(_read_text(path), str(path), may_hold_secrets)
    if isinstance(tree.value, dict):
        earlier = _rename_keys(tree, model.renamed_keys)
        overrides = _rename_overrides(overrides or {}, model.renamed_keys, earlier)
        if earlier and notify:
            notify(_describe_renamed(path, earlier, model.renamed_keys))
        navigator = SchemaNavigator(json_schema_of(model) if overrides else {})
        apply_overrides(tree, overrides, navigator.default_at, navigator.takes_key)
    spec: T | None = None
    try:
        # Only JSON validation is strict about types and still accepts a list for a tuple.
        spec = model.model_validate_json(_to_json(tree.value), strict=True)
    except ValidationError as error:
        found = to_mistakes(error, model, tree)
        tree.mistakes.extend(
            _hide_found(mistake) if may_hold_secrets and not mistake.path else mistake
            for mistake in found
        )
    else:
        tree.mistakes.extend(find_rewritten_text(model, tree))
    if spec is None or tree.mistakes:
        ordered = sorted(tree.mistakes, key=lambda mistake: mistake.line or sys.maxsize)
        raise StrategyError(str(path), tuple(ordered))
    return spec


def _parse(text: str, source: str, may_hold_secrets: bool) -> YamlTree:
    if not may_hold_secrets:
        return parse_yaml(text, source)
    try:
        tree = parse_yaml(text, source)
    except StrategyError as error:
        raise StrategyError(source, tuple(map(_hide_found, error.mistakes))) from None
    tree.mistakes = [_hide_found(mistake) for mistake in tree.mistakes]
    return tree


def _hide_found(mistake: Mistake) -> Mistake:
    return replace(mistake, found=HIDDEN_VALUE, hint="")


def _rename_keys(tree: YamlTree, renamed: Mapping[str, str]) -> list[str]:
    """Renames keys with an earlier name; returns the earlier names that the file uses."""
    used = [name for name in renamed if name in tree.value]
    for name in used:
        new = renamed[name]
        if new in tree.value:
            expected = f"one of `{new}` and `{name}`, its earlier name"
            tree.mistakes.append(Mistake(name, tree.line_of((name,)), expected, "both"))
        tree.value = {renamed.get(key, key): value for key, value in tree.value.items()}
        tree.lines = _rename_first(tree.lines, name, new)
        tree.plain_text = _rename_first(tree.plain_text, name, new)
    return used


def _rename_first(by_path: Mapping[TreePath, V], name: str, new: str) -> dict[TreePath, V]:
    return {
        (new, *path[1:]) if path[:1] == (name,) else path: value for path, value in by_path.items()
    }


def _rename_overrides(
    overrides: Mapping[str, object], renamed: Mapping[str, str], used: list[str]
) -> dict[str, object]:
    """The overrides under current names; adds the earlier names that occur to `used`."""
    current: dict[str, object] = {}
    for path, value in overrides.items():
        first, dot, rest = path.partition(".")
        if first in renamed and first not in used:
            used.append(first)
        current[f"{renamed.get(first, first)}{dot}{rest}"] = value
    return current


def _describe_renamed(path: Path, used: list[str], renamed: Mapping[str, str]) -> str:
    keys = ", ".join(f"`{name}` is now `{renamed[name]}`" for name in used)
    return f"{path}: the key {keys}; the earlier name is still read"


def _to_json(value: object) -> str:
    try:
        return json.dumps(value, default=_to_jsonable, allow_nan=False)
    except ValueError as error:  # parsing refuses these in a file
        raise UsageError("an override is not a finite number", found=str(error)) from None


def _to_jsonable(value: object) -> object:
    """Converts values that a Python caller may pass as overrides."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else str(value)


def _read_text(path: Path) -> str:
    try:
        raw = read_bytes(path, max_bytes=MAX_YAML_BYTES, what="a YAML file")
    except FileNotFoundError:
        raise _not_found_error(path) from None
    except OSError as error:
        raise UsageError(
            "the file cannot be read", found=f"{error.strerror}", where=str(path)
        ) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{raw[error.start]:02x}"
        raise StrategyError(
            str(path), (Mistake("", line, "text in UTF-8", found, "save the file as UTF-8"),)
        ) from None


def _not_found_error(path: Path) -> UsageError:
    """The error for a missing file; suggests the file with the most similar name."""
    folders = dict.fromkeys([path.parent, Path("strategies")])
    files = [
        file
        for folder in folders
        if folder.is_dir()
        for file in sorted(folder.iterdir())
        if file.suffix in {".yaml", ".yml"}
    ]
    stem = closest_match(path.stem, [file.stem for file in files])
    suggestion = next((str(file) for file in files if file.stem == stem), "")
    return UsageError(
        "there is no such file",
        found=str(path),
        fix=f"did you mean {suggestion}?" if suggestion else "name a YAML file that exists",
    )
