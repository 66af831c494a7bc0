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


class MissedShare(DocumentPart):
    """How likely look-ahead of a feature at some bars only is missed.

    Attributes:
        share_pct: Of all bars, chosen at random, in percent.
        probability: That none of them is a cut.
    """

    share_pct: float
    probability: float


class FeatureCuts(DocumentPart):
    """At how many bars the feature stage was probed by other bars after them.

    Attributes:
        cuts: Of the feature, label or coarser feature that was probed at the fewest.
        bars: Bars at which they could have been probed.
        special_cuts: Kind of a bar -> cuts at bars of the kind.
        unbounded: Features that depend on all bars before, which are built once for each cut.
        missed: How likely look-ahead at a share of the bars is missed.
    """

    cuts: int
    bars: int
    special_cuts: Mapping[str, int] = {}
    unbounded: tuple[str, ...] = ()
    missed: tuple[MissedShare, ...] = ()


class Certificate(Document):
    """`certificate.json`: nothing up to a cutoff changed when other bars came after it.

    Attributes:
        result: `passed`; a run with look-ahead leaves no folder.
        sentence: The result in words.
        cutoffs: Where bars were replaced.
        compared: Stage -> how much was equal.
        books: Books whose positions and fills were compared.
        refits: Fits that were made again, over all cutoffs.
        refit_draws: Futures before which each model of a user was fitted again; 0 where the run
            has none.
        probability_missed: That a model which makes a choice of two by its test rows, either one
            as likely, made the same before all of them: 2^-refit_draws. None without refits.
        features: At how many cuts the feature stage was probed.
        windows: Windows whose arrays were built again from bars before their test part.
        ends: Last bars of the histories on which all stages ran again, ISO 8601.
        limitations: What the test does not show.
    """

    result: str
    sentence: str
    cutoffs: tuple[CertificateCutoff, ...] = Field(alias="cuts")
    compared: Mapping[str, ComparedCounts]
    books: tuple[str, ...] = ()
    refits: int = Field(default=0, alias="fits_refitted")
    refit_draws: int = 0
    probability_missed: float | None = None
    features: FeatureCuts | None = None
    windows: int | None = Field(default=None, alias="windows_rebuilt")
    ends: tuple[str, ...] = ()
    limitations: tuple[str, ...] = Field(default=(), alias="not_compared")
