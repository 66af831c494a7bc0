"""`certificate.json`: what the leakage test did, and what it does not show."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from engine.runs.documents.base import Document, DocumentPart


class CertificateCutoff(DocumentPart):
    """A bar after which every later bar was replaced.

    Attributes:
        bar: The last bar that was kept, ISO 8601.
        kind: What is particular about it.
        window: The walk-forward window that is tested at it; None before the first.
        replaced_bars: Bars after it.
        refits: Fits that were made again on the other bars.
        fills_probed_with: Which prices of the bar were kept where its fills were tested.
    """

    bar: str
    kind: str
    window: int | None = None
    replaced_bars: int | None = Field(default=None, alias="bars_replaced")
    refits: int = Field(default=0, alias="fits_refitted")
    fills_probed_with: str | None = None


class ComparedCounts(DocumentPart):
    """How much of one stage was equal, bit for bit.

    Attributes:
        columns: Columns, over all cutoffs.
        value_count: Values, over all cutoffs.
    """

    columns: int
    value_count: int = Field(alias="values")


class Certificate(Document):
    """`certificate.json`: nothing up to a cutoff changed when other bars came after it.

    Attributes:
        result: `passed`; a run with look-ahead leaves no folder.
        sentence: The result in words.
        cutoffs: Where bars were replaced.
        compared: Stage -> how much was equal.
        books: Books whose positions and fills were compared.
        refits: Fits that were made again, over all cutoffs.
        limitations: What the test does not show.
    """

    result: str
    sentence: str
    cutoffs: tuple[CertificateCutoff, ...] = Field(alias="cuts")
    compared: Mapping[str, ComparedCounts]
    books: tuple[str, ...] = ()
    refits: int = Field(default=0, alias="fits_refitted")
    limitations: tuple[str, ...] = Field(default=(), alias="not_compared")
