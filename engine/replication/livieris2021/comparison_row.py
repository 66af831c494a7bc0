"""A row of a printed table next to our figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ComparisonRow:
    """The paper's figures and ours under the same names.

    Attributes:
        labels: Labels of the row: symbol, part, model.
        paper: The printed figures; None for a dash.
        ours: Our figures at full precision.
        digits: Printed decimals of each figure.
    """

    labels: Mapping[str, str | int]
    paper: Mapping[str, float | None]
    ours: Mapping[str, float | None]
    digits: Mapping[str, int]

    def matches(self, name: str) -> bool:
        """Whether our figure, rounded to the printed digits, equals the printed one."""
        return equal_as_printed(self.paper[name], self.ours[name], self.digits[name])

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.labels,
            "paper": dict(self.paper),
            "ours": dict(self.ours),
            "equal": {name: self.matches(name) for name in self.paper},
        }


def equal_as_printed(paper: float | None, ours: float | None, digits: int) -> bool:
    """Whether two figures are equal at this many decimals; two missing ones are equal."""
    if paper is None or ours is None:
        return paper is ours
    return round(paper, digits) == round(ours, digits)
