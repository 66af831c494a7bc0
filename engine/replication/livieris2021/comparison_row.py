"""A row of the paper's tables beside what is found here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ComparisonRow:
    """Figures of the paper and ours, by the same names.

    Attributes:
        labels: Which row: symbol, part, model.
        paper: As printed; None where the paper prints a dash.
        ours: At full precision.
        digits: Decimals that the paper prints of each figure.
    """

    labels: Mapping[str, str | int]
    paper: Mapping[str, float | None]
    ours: Mapping[str, float | None]
    digits: Mapping[str, int]

    def matches(self, name: str) -> bool:
        """Whether ours, rounded to the paper's digits, is what the paper prints."""
        return equal_as_printed(self.paper[name], self.ours[name], self.digits[name])

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            **self.labels,
            "paper": dict(self.paper),
            "ours": dict(self.ours),
            "equal": {name: self.matches(name) for name in self.paper},
        }


def equal_as_printed(paper: float | None, ours: float | None, digits: int) -> bool:
    """Whether two figures read the same with so many decimals; two missing ones do."""
    if paper is None or ours is None:
        return paper is ours
    return round(paper, digits) == round(ours, digits)
