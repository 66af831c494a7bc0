"""A section of the tearsheet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TearsheetSection:
    """One section.

    Attributes:
        key: Its id in the page, and the name of its template in `templates/tearsheet/`.
        label: Its name in the list of sections.
        content: What its template shows, a dataclass of the section.
    """

    key: str
    label: str
    content: object
