"""The bars of a run in its manifest: where they came from, their quality and calendars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from engine.runs.documents.base import DocumentPart


class QualityRecord(DocumentPart):
    """A finding of the quality gate, or a repair that it made.

    Attributes:
        rule: The rule that the bars broke.
        symbol: Whose bars.
        severity: `warn` or `error`; None of a repair.
        first: First bar concerned, as text; None where no bar could be read.
        last: Last bar concerned.
        count: Bars concerned.
        repair: The repair that is offered or was made; None where there is none.
        sentence: All of it in words.
        advice: What the user can do, where no repair says it.
        bars: Of a repair, the first bars concerned: `timestamp`, `before` and `after`.
        later_bars: Of a repair, bars after a bar that decided about it; None for any.
        late_bars: Timestamps of the bars that a repair changed by what came later.
    """

    rule: str
    symbol: str
    severity: str | None = None
    first: str | None = None
    last: str | None = None
    count: int
    repair: str | None = None
    sentence: str
    advice: str = ""
    bars: tuple[Mapping[str, Any], ...] = ()
    later_bars: int | None = 0
    late_bars: tuple[str, ...] = ()


class ResamplingRecord(DocumentPart):
    """What was compared of the resampled bars of one symbol.

    Attributes:
        symbol: The symbol.
        base: Interval of the bars they were made of.
        interval: Their own.
        cuts: Bars after whose end the shorter bars were replaced.
        value_count: Values that were equal, over all cuts.
    """

    symbol: str
    base: str
    interval: str
    cuts: int
    value_count: int = Field(alias="values")


class QualityReport(DocumentPart):
    """What the quality gate found and did.

    Attributes:
        rules: Rules that were checked; None where the version that ran did not keep them.
        findings: What remains.
        repairs: What was repaired.
        notices: Sentences about the bars, as the run printed them.
        resampling: What was compared of bars that were resampled from shorter ones.
    """

    rules: tuple[str, ...] | None = None
    findings: tuple[QualityRecord, ...] = ()
    repairs: tuple[QualityRecord, ...] = ()
    notices: tuple[str, ...] = ()
    resampling: tuple[ResamplingRecord, ...] = ()


class SymbolRecord(DocumentPart):
    """Where the bars of one symbol came from.

    Attributes:
        source: Source and name there.
        first: First bar, as text.
        last: Last bar.
        rows: Bars used.
        left_out: Bars left out, because another symbol has none then; None where not known.
        sha256: Of the bars used.
        vintage: Id of the vintage; None for sources without.
        pulled: When it was pulled, ISO 8601.
    """

    source: str | None = None
    first: str | None = None
    last: str | None = None
    rows: int | None = None
    left_out: int | None = None
    sha256: str | None = None
    vintage: str | None = None
    pulled: str | None = None


class AnnualisationRecord(DocumentPart):
    """By how many bars a year the run's returns are annualised.

    Attributes:
        periods_per_year: The figure used.
        basis: Where it is from: `calendar`, `measured` in the bars, or `declared` in the dataset.
        by_calendar: By the dataset's calendar.
        measured: Bars in the weeks that have any, scaled to a year; None for too few weeks.
    """

    periods_per_year: float
    basis: str
    by_calendar: float
    measured: float | None = None


class RateRecord(DocumentPart):
    """The bars by which prices of a currency were converted.

    Attributes:
        symbol: Of the dataset.
        bars: Where they came from.
    """

    symbol: str
    bars: SymbolRecord


class ExchangesRecord(DocumentPart):
    """Calendars and currencies of the symbols.

    Attributes:
        calendars: Symbol -> its calendar.
        decided_at: The symbol at whose closes decisions are made; None of a book, which decides at
            the last close of each date.
        currency: Of the book; None where no symbol says.
        currencies: Symbol -> the currency of its prices, where it is another.
        rates: Currency -> the bars that converted it.
    """

    calendars: Mapping[str, str]
    decided_at: str | None = None
    currency: str | None = None
    currencies: Mapping[str, str] = {}
    rates: Mapping[str, RateRecord] = {}


class FundingRecord(DocumentPart):
    """Which funding rates of a perpetual the run used.

    Attributes:
        rates: How many.
        sha256: Of their instants and values.
    """

    rates: int
    sha256: str


class HoldoutRecord(DocumentPart):
    """The bars that were held out. Of a sealed run this day is all that it knows of them.

    Attributes:
        sealed_from: First day of the holdout, ISO 8601.
        sealed: Whether the run was made without it; false of the run that looked.
    """

    sealed_from: str
    sealed: bool


class DatasetRecord(DocumentPart):
    """Which bars the run used.

    Attributes:
        name: Of the dataset.
        note: Its own words.
        interval: Length of a bar.
        calendar: `24/7`, or a code of exchange-calendars.
        annualisation: Bars a year; None where the version that ran recorded only its calendar.
        offline: Whether the offline dataset stood in.
        notices: What the data stage said about how the bars were obtained.
        quality: What the quality gate found; None where the version that ran kept nothing of it.
        vintage: Id of the vintage of all symbols; None for sources without.
        symbols: Symbol -> where its bars came from.
        exchanges: Calendars and currencies, where symbols have their own.
        funding: Symbol -> its funding rates, where the costs charge them.
        start: First day that the dataset asks for; no key where it does not say.
        end: Last day.
        holdout: Which bars were held out; no key without `windows.holdout`.
    """

    name: str
    note: str | None = None
    interval: str | None = None
    calendar: str | None = None
    annualisation: AnnualisationRecord | None = None
    offline: bool = False
    notices: tuple[str, ...] = ()
    quality: QualityReport | None = None
    vintage: str | None = None
    symbols: Mapping[str, SymbolRecord] = {}
    exchanges: ExchangesRecord | None = None
    # Left out of what is written where there is none, as in earlier versions.
    funding: Mapping[str, FundingRecord] = Field(default={}, exclude_if=lambda rates: not rates)
    start: str | None = None
    end: str | None = None
    holdout: HoldoutRecord | None = None
