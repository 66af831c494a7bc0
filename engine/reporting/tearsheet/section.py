"""What a section of the tearsheet is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class TearsheetSection:
    """One section.

    Attributes:
        key: Its id in the page, and the name of its template in `templates/tearsheet/`.
        label: In the list of sections.
        template_values: What its template shows.
    """

    key: str
    label: str
    template_values: Mapping[str, Any]
