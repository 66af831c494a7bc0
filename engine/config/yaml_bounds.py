"""Bounds on a YAML document, checked while its nodes are composed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ruamel.yaml.composer import Composer
from ruamel.yaml.events import AliasEvent

from engine.core.errors import Mistake
from engine.core.limits import MAX_YAML_DEPTH, MAX_YAML_NODES

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node


@dataclass(frozen=True)
class YamlBounds:
    """Bounds on one document.

    Attributes:
        nodes: Keys, values, lists and mappings; those that an alias repeats count each time.
        depth: Levels of nesting, with those inside what an alias repeats.
    """

    nodes: int = MAX_YAML_NODES
    depth: int = MAX_YAML_DEPTH


class TooLargeError(Exception):
    """A document exceeds a bound.

    Attributes:
        mistake: What was expected and found, with the line.
    """

    def __init__(self, line: int, expected: str, found: str, hint: str = "") -> None:
        super().__init__(expected)
        self.mistake = Mistake("", line, expected, found, hint)


@dataclass(frozen=True)
class _Extent:
    """How many nodes an anchored node has, itself included, and how many levels."""

    nodes: int
    levels: int


class BoundedComposer(Composer):
    """Composes nodes as ruamel does, and ends where a bound is exceeded."""

    bounds: ClassVar[YamlBounds] = YamlBounds()

    def __init__(self, loader: object = None) -> None:
        super().__init__(loader)
        self._nodes = 0
        self._levels = 0
        self._deepest = 0
        self._extents: dict[int, _Extent] = {}

    @classmethod
    def within(cls, bounds: YamlBounds) -> type[BoundedComposer]:
        """A composer with these bounds: ruamel makes the instance."""
        return type(cls.__name__, (cls,), {"bounds": bounds})

    def compose_node(self, parent: object, index: object) -> Node:
        """One node with all below it.

        Raises:
            TooLargeError: With it the document exceeds a bound, or it contains itself.
        """
        line = self.parser.peek_event().start_mark.line + 1
        if self.parser.check_event(AliasEvent):
            node = super().compose_node(parent, index)
            self._count(self._extent_of(node, line), line)
            return node
        self._count(_Extent(1, 1), line)
        nodes_before, deepest_before = self._nodes - 1, self._deepest
        self._levels += 1
        self._deepest = self._levels
        node = super().compose_node(parent, index)
        self._levels -= 1
        if node.anchor is not None:
            levels = self._deepest - self._levels
            self._extents[id(node)] = _Extent(self._nodes - nodes_before, levels)
        self._deepest = max(self._deepest, deepest_before)
        return node

    def _extent_of(self, node: Node, line: int) -> _Extent:
        if id(node) not in self._extents:  # it is not complete yet
            raise TooLargeError(
                line, "values that end", "an alias of the list or mapping that it stands in"
            )
        return self._extents[id(node)]

    def _count(self, extent: _Extent, line: int) -> None:
        self._nodes += extent.nodes
        self._deepest = max(self._deepest, self._levels + extent.levels)
        if self._nodes > self.bounds.nodes:
            raise TooLargeError(
                line,
                f"at most {self.bounds.nodes:,} keys and values in a file",
                "more",
                "what an alias repeats counts each time",
            )
        if self._levels + extent.levels - 1 > self.bounds.depth:
            raise TooLargeError(
                line, f"at most {self.bounds.depth} levels of nesting", "more than that"
            )
