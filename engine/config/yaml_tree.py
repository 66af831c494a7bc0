"""Parses YAML into a plain tree with the line of every value."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.config.yaml_bounds import BoundedComposer, TooLargeError, YamlBounds
from engine.core.control_characters import escape_line
from engine.core.errors import Mistake, StrategyError
from engine.core.limits import MAX_NUMBER_CHARACTERS, MAX_WHOLE_NUMBER
from engine.core.numbers import groups_digits

if TYPE_CHECKING:
    from ruamel.yaml.constructor import SafeConstructor

TreePath: TypeAlias = tuple[str | int, ...]
"""Path in a tree: keys and list indexes, outermost first."""

_UNQUOTED_TEXT = re.compile(r"[A-Za-z0-9_./]([A-Za-z0-9_./;+ -]*[A-Za-z0-9_./+-])?")
_SPECIAL_CHARACTERS = "@%&*!#`"
_QUOTES_HINT = f"text that begins with one of {' '.join(_SPECIAL_CHARACTERS)} has to be in quotes"
_SPECIAL_START = re.compile(rf"(?:[\[{{,]|: |- )\s*[{_SPECIAL_CHARACTERS}]")
_WORD_TAG = re.compile(r"![\w.-]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BASE_PREFIX = re.compile(r"0[A-Za-z]")
_RESERVED_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_CORE_TAG_PREFIX = "tag:yaml.org,2002:"
_ALLOWED_TAGS = {"map", "seq", "str", "null", "bool", "int", "float", "timestamp", "merge"}
_TEXT_TAGS = {"str", "timestamp", "merge"}
_NUMBER_TAGS = {"int", "float"}


@dataclass
class YamlTree:
    """A YAML document as dicts, lists and scalars.

    Attributes:
        value: The tree; dates stay text, as in JSON.
        lines: Line of each path, from 1: of the key in a mapping, of the value in a list.
        overridden_paths: Paths whose value is not from the file.
        plain_text: Path of each number, truth value and null -> its text in the file.
        mistakes: Mistakes of parsing: repeated keys, tags, invalid values.
    """

    value: Any = None
    lines: dict[TreePath, int] = field(default_factory=dict)
    overridden_paths: set[TreePath] = field(default_factory=set)
    plain_text: dict[TreePath, str] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def line_of(self, path: TreePath) -> int | None:
        """Line of a path, or of its nearest ancestor; None if it is overridden."""
        if self.is_overridden(path):
            return None
        return next((self.lines[p] for p in _path_and_ancestors(path) if p in self.lines), None)

    def is_overridden(self, path: TreePath) -> bool:
        """Whether the value at a path comes from an override."""
        return any(prefix in self.overridden_paths for prefix in _path_and_ancestors(path))


def _path_and_ancestors(path: TreePath) -> list[TreePath]:
    return [path[:length] for length in range(len(path), -1, -1)]


def dotted_path(path: TreePath) -> str:
    """`benchmarks.0.fast` of ("benchmarks", 0, "fast")."""
    return ".".join(str(part) for part in path)


def dump_flow_yaml(value: object) -> str:
    """Writes a plain value on one line, in YAML's flow style."""
    if isinstance(value, dict):
        return (
            f"{{{', '.join(f'{name}: {dump_flow_yaml(item)}' for name, item in value.items())}}}"
        )
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(dump_flow_yaml, value))}]"
    if isinstance(value, str) and _needs_no_quotes(value):
        return value
    return escape_line(json.dumps(value, default=str, ensure_ascii=False))


def _needs_no_quotes(text: str) -> bool:
    """Whether text needs no quotes: YAML would not parse it as another type."""
    if (
        not _UNQUOTED_TEXT.fullmatch(text)
        or _BASE_PREFIX.match(text)
        or text.lower() in _RESERVED_WORDS
    ):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False


def parse_yaml(text: str, source: str, bounds: YamlBounds | None = None) -> YamlTree:
    """Parses one YAML 1.2 document.

    Args:
        text: The document.
        source: Its origin, for the error message.
        bounds: On the values and levels of nesting; those of `engine.core.limits` by default.

    Raises:
        StrategyError: The text is not YAML, or exceeds the bounds.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = BoundedComposer.within(bounds or YamlBounds())
    try:
        root = yaml.compose(text)
    except TooLargeError as error:
        raise StrategyError(source, (error.mistake,)) from None
    except YAMLError as error:
        raise StrategyError(source, (_syntax_mistake(error, text),)) from None
    if root is None:
        raise StrategyError(
            source, (Mistake("", 1, "keys and values, such as `name: micdl`", "an empty file"),)
        )
    tree = YamlTree(lines={(): root.start_mark.line + 1})
    tree.value = _NodeReader(tree, yaml.constructor).to_plain_value(root, ())
    return tree


def _syntax_mistake(error: YAMLError, text: str) -> Mistake:
    if not isinstance(error, MarkedYAMLError):  # a ReaderError: a character YAML does not allow
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        return Mistake("", line, "printable text", f"the character {text[position]!r}")
    mark = error.problem_mark or error.context_mark
    line_text = text.split("\n")[mark.line].strip() or "the end of the file"
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    hint = "indent with spaces; YAML allows no tabs" if "'\\t'" in problem else ""
    near = text.split("\n")[max(mark.line - 2, 0) : mark.line + 1]
    if not hint and any(map(_SPECIAL_START.search, near)):
        hint = _QUOTES_HINT
    return Mistake("", mark.line + 1, "valid YAML", f"{line_text} ({problem})", hint)


class _NodeReader:
    """Converts nodes to plain values, and records lines and mistakes in the tree."""

    def __init__(self, tree: YamlTree, constructor: SafeConstructor) -> None:
        self._tree = tree
        self._constructor = constructor

    def to_plain_value(self, node: Node, path: TreePath) -> object:
        tag = str(node.tag)
        kind = tag.removeprefix(_CORE_TAG_PREFIX)
        if kind not in _ALLOWED_TAGS:
            hint = _QUOTES_HINT if _WORD_TAG.fullmatch(tag) else ""
            return self._add_mistake(path, node, "a plain value", f"the tag {tag}", hint)
        if isinstance(node, MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, SequenceNode):
            return self._read_sequence(node, path)
        if _SURROGATE.search(node.value):
            return self._add_mistake(path, node, "text of characters", "half of a character")
        # ruamel reads `1__` as a number too.
        if kind in _TEXT_TAGS or (kind in _NUMBER_TAGS and not groups_digits(node.value)):
            return node.value
        return self._read_scalar(node, path, kind)

    def _read_mapping(self, node: Node, path: TreePath) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._add_mistake(
                    path, key, "keys that are text", "a key that is a list or mapping"
                )
                continue
            key_path = (*path, key.value)
            if _SURROGATE.search(key.value):
                self._add_mistake(path, key, "keys that are text", "half of a character")
                continue
            if key.value in mapping:
                first = self._tree.lines[key_path]
                self._add_mistake(
                    key_path, key, "each key once", f"`{key.value}` again, first on line {first}"
                )
                continue
            self._tree.lines[key_path] = key.start_mark.line + 1
            mapping[key.value] = self.to_plain_value(value, key_path)
        return mapping

    def _read_sequence(self, node: Node, path: TreePath) -> list[object]:
        values = []
        for index, item in enumerate(node.value):
            item_path = (*path, index)
            self._tree.lines[item_path] = item.start_mark.line + 1
            values.append(self.to_plain_value(item, item_path))
        return values

    def _read_scalar(self, node: Node, path: TreePath, kind: str) -> object:
        if kind in _NUMBER_TAGS and len(node.value) > MAX_NUMBER_CHARACTERS:
            expected = f"a number of at most {MAX_NUMBER_CHARACTERS} characters"
            return self._add_mistake(path, node, expected, f"{len(node.value)} characters")
        try:
            value = self._constructor.construct_object(node)
        except (ValueError, KeyError, YAMLError):
            return self._add_mistake(path, node, f"a value of type {kind}", f"`{node.value}`")
        if isinstance(value, int) and abs(value) > MAX_WHOLE_NUMBER:
            expected = "a whole number of at most 64 bits"
            hint = f'put text in quotes: "{node.value[:40]}"'
            return self._add_mistake(path, node, expected, f"`{node.value}`", hint)
        if isinstance(value, float) and not math.isfinite(value):
            return self._add_mistake(path, node, "a finite number", f"`{node.value}`")
        self._tree.plain_text[path] = node.value
        return value

    def _add_mistake(
        self, path: TreePath, node: Node, expected: str, found: str, hint: str = ""
    ) -> object:
        line = node.start_mark.line + 1
        self._tree.mistakes.append(Mistake(dotted_path(path), line, expected, found, hint))
        return None
