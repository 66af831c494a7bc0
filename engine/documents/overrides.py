"""`--set path=value`: parsing, and laying the values over a tree."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from engine.documents.tree import Path, Tree, dotted, read_tree
from engine.errors import Mistake, StrategyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def parse_overrides(items: Sequence[str]) -> dict[str, object]:
    """Reads `path=value` items; each value is YAML, a path's last one wins.

    Args:
        items: Such as `windows.train=3y`, `opponents.0.fast=10`, `data.offline=` (nothing).

    Raises:
        UsageError: An item has no `=`, no path, or a value that is not YAML.
    """
    overrides: dict[str, object] = {}
    for item in items:
        path, equals, value = item.partition("=")
        path = path.strip()
        if not equals or not all(path.split(".")):
            raise UsageError(
                f"--set {item} names no place and value",
                expected="--set path=value, such as --set windows.train=3y",
                found=item,
            )
        overrides.pop(path, None)
        overrides[path] = _value(item, value)
    return overrides


def _value(item: str, text: str) -> object:
    if not text.strip():
        return None
    try:
        tree = read_tree(text, item)
        mistakes = tuple(tree.mistakes)
    except StrategyError as error:
        mistakes = error.mistakes
    if mistakes:
        raise UsageError(
            f"--set {item} has a value that is not YAML",
            expected=mistakes[0].expected,
            found=mistakes[0].found,
            fix="quote the whole item for the shell: --set 'model={kind: lstm}'",
        )
    return tree.value


def lay_over(tree: Tree, overrides: Mapping[str, object]) -> None:
    """Puts each override at its dotted place; a place that cannot be is noted as a mistake.

    A mapping on the way that the file leaves out is made; a list is never lengthened.
    """
    for name, value in overrides.items():
        path = _lay(tree, name.split("."), copy.deepcopy(value))
        if path:
            tree.overridden.add(path)


def _lay(tree: Tree, parts: list[str], value: object) -> Path | None:
    node: Any = tree.value
    path: Path = ()
    for part in parts[:-1]:
        key = _key(tree, node, path, part)
        if key is None:
            return None
        path = (*path, key)
        if isinstance(node, dict) and node.get(key) is None:
            node[key] = {}
            tree.overridden.add(path)
        node = node[key]
    key = _key(tree, node, path, parts[-1])
    if key is None:
        return None
    node[key] = value
    return (*path, key)


def _key(tree: Tree, node: object, path: Path, part: str) -> str | int | None:
    """The key or index that `part` means in `node`; None, and a mistake, where it means none."""
    if isinstance(node, dict):
        return part
    if isinstance(node, list):
        if part.isdecimal() and int(part) < len(node):
            return int(part)
        expected, found = f"an index below {len(node)}", f"`{part}` (--set)"
    else:
        expected, found = (
            "a mapping or a list to set a value in",
            f"`{node}`, for `{part}` (--set)",
        )
    tree.mistakes.append(Mistake(dotted((*path, part)), None, expected, found))
    return None
