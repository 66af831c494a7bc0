"""Parses `--set path=value` and `--grid path=value,value`, and applies overrides to a tree."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from engine.config.yaml_tree import TreePath, YamlTree, dotted_path, dump_flow_yaml, parse_yaml
from engine.core.errors import Mistake, StrategyError, UsageError
from engine.core.hashing import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MAX_SHOWN_CHARS = 100
_INDEX = re.compile(r"[0-9]{1,9}")


def parse_overrides(items: Sequence[str]) -> dict[str, object]:
    """Parses `path=value` items; each value is YAML, and the last one of a path is used.

    Args:
        items: Such as `windows.train=3y`, `benchmarks.0.fast=10`, `data.offline=` (null).

    Raises:
        UsageError: An item has no `=`, no path, or a value that is not YAML.
    """
    overrides: dict[str, object] = {}
    for item in items:
        path, equals, value = item.partition("=")
        path = path.strip()
        if not equals or not all(path.split(".")):
            raise UsageError(
                f"--set {item} has no path and value",
                expected="--set path=value, such as --set windows.train=3y",
                found=item,
            )
        overrides.pop(path, None)
        overrides[path] = _parse_value(item, value)
    return overrides


def parse_grid(items: Sequence[str]) -> dict[str, list[object]]:
    """Parses `path=value,value` items: the values of a sweep.

    Args:
        items: Such as `signal.enter_bps=5,10,20`, `model={kind: ridge},{kind: drift}`; each value
            is YAML.

    Raises:
        UsageError: An item has no `=`, no path, no value, a value that is not YAML, or a value
            twice; or two items have the same path.
    """
    grid: dict[str, list[object]] = {}
    for item in items:
        path, equals, text = item.partition("=")
        path = path.strip()
        if not equals or not all(path.split(".")) or not text.strip():
            raise UsageError(
                f"--grid {item} has no path and values",
                expected="--grid path=value,value, such as --grid signal.enter_bps=5,10,20",
                found=item,
            )
        if path in grid:
            raise UsageError(
                f"--grid names {path} twice",
                expected="all values of a path in one --grid",
                found=item,
            )
        grid[path] = _parse_values(item, text)
    return grid


def _parse_values(item: str, text: str) -> list[object]:
    parsed = _parse_yaml_value(f"--grid {item}", f"[{text}]")
    values = parsed if isinstance(parsed, list) else [parsed]
    seen: set[object] = set()
    for value in values:
        key = (canonical_json(value),) if isinstance(value, dict | list) else value
        if key in seen:
            raise UsageError(
                f"--grid {_shorten(item)} has a value twice",
                expected="each value once",
                found=dump_flow_yaml(value),
            )
        seen.add(key)
    return values


def _shorten(item: str) -> str:
    return item if len(item) <= _MAX_SHOWN_CHARS else f"{item[:_MAX_SHOWN_CHARS]}..."


def _parse_value(item: str, text: str) -> object:
    return _parse_yaml_value(f"--set {item}", text) if text.strip() else None


def _parse_yaml_value(option: str, text: str) -> object:
    try:
        tree = parse_yaml(text, option)
        mistakes = tuple(tree.mistakes)
    except StrategyError as error:
        mistakes = error.mistakes
    if mistakes:
        raise UsageError(
            f"{_shorten(option)} has a value that is not YAML",
            expected=mistakes[0].expected,
            found=mistakes[0].found,
            fix=f"quote the whole item for the shell: {option.split()[0]} 'model={{kind: lstm}}'"
            + (f"; {mistakes[0].hint}" if mistakes[0].hint else ""),
        )
    return tree.value


def apply_overrides(
    tree: YamlTree,
    overrides: Mapping[str, object],
    get_default: Callable[[TreePath], object] | None = None,
    takes_key: Callable[[TreePath, str], bool] | None = None,
) -> None:
    """Sets each override at its dotted path; an invalid path is added to the mistakes.

    A mapping that the file leaves out is created with its default from `get_default`, so that
    `signal.enter_bps=10` needs no `signal` in the file. A list is never lengthened.
    `takes_key` says whether the value at a path may be a mapping with a key, for the hint where it
    is another value.
    """
    default_at = get_default or (lambda _: None)
    may_have_key = takes_key or (lambda _path, _key: False)
    for name, value in overrides.items():
        path = _set_value(tree, name.split("."), copy.deepcopy(value), default_at, may_have_key)
        if path:
            tree.overridden_paths.add(path)


def _set_value(
    tree: YamlTree,
    parts: list[str],
    value: object,
    get_default: Callable[[TreePath], object],
    takes_key: Callable[[TreePath, str], bool],
) -> TreePath | None:
    node: Any = tree.value
    path: TreePath = ()
    for part in parts[:-1]:
        key = _resolve_key(tree, node, path, part, takes_key)
        if key is None:
            return None
        path = (*path, key)
        if isinstance(node, dict) and node.get(key) is None:
            default = get_default(path)
            node[key] = copy.deepcopy(default) if isinstance(default, dict) else {}
            tree.overridden_paths.add(path)
        node = node[key]
    key = _resolve_key(tree, node, path, parts[-1], takes_key)
    if key is None:
        return None
    node[key] = value
    return (*path, key)


def _resolve_key(
    tree: YamlTree,
    node: object,
    path: TreePath,
    part: str,
    takes_key: Callable[[TreePath, str], bool],
) -> str | int | None:
    """The key or index of `part` in `node`; None, with a mistake, where there is none."""
    if isinstance(node, dict):
        return part
    if isinstance(node, list):
        if _INDEX.fullmatch(part) and int(part) < len(node):
            return int(part)
        expected, found = f"an index below {len(node)}", f"`{part}` (--set or --grid)"
    else:
        expected, found = (
            "a mapping or a list to set a value in",
            f"`{node}`, for `{part}` (--set or --grid)",
        )
    whole = f"set all of it at once: '{dotted_path(path)}={{{part}: …}}'"
    hint = whole if takes_key(path, part) else ""
    tree.mistakes.append(Mistake(dotted_path((*path, part)), None, expected, found, hint))
    return None
