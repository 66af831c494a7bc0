"""The universe of a dataset: its members by day, and what a run says about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.bars import format_timestamp
from engine.data.membership import Membership, known_days, read_membership

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.manifests import DatasetManifest

SURVIVORS_ONLY = (
    "the symbols are a list of today: those that failed or left before are not in it, and "
    "results are too good (survivorship bias); the key members of a dataset says who belonged to "
    "it at each close"
)
"""What is said of a book whose dataset has no members."""

_MAX_TOLD = 10


def read_members(manifest: DatasetManifest) -> Membership | None:
    """The members of a dataset by day; None where it names no file.

    Raises:
        DataError: The file cannot be read, or is wrong.
    """
    members = manifest.dataset.members
    if members is None:
        return None
    dataset = manifest.dataset
    return read_membership(
        manifest.path.parent / members.file,
        dataset.symbols,
        without_row=dataset.rate_symbols.values(),
    )


def describe_universe(
    manifest: DatasetManifest, membership: Membership | None, frames: Mapping[str, BarsFrame]
) -> Iterator[str]:
    """Sentences about the universe of a book: its bias, and members that have no bars.

    Args:
        manifest: The dataset.
        membership: Its members, where they are used.
        frames: Bars of each symbol.
    """
    if manifest.dataset.members is None:
        yield SURVIVORS_ONLY
    elif membership is None:
        yield (
            f"the members of {manifest.dataset.name} are not used: every row of this strategy "
            f"needs the bars of several symbols, and {SURVIVORS_ONLY.partition(':')[0]}"
        )
    else:
        yield from find_barless_spans(membership, frames, manifest.dataset)


def find_barless_spans(
    membership: Membership, frames: Mapping[str, BarsFrame], dataset: Dataset
) -> Iterator[str]:
    """A sentence for the spans of the panel in which a member has not one bar."""
    known = {
        symbol: known_days(pd.DatetimeIndex(frame["timestamp"]), dataset.interval)
        for symbol, frame in frames.items()
    }
    first = min(days[0] for days in known.values()).item()
    last = max(days[-1] for days in known.values()).item()
    found = []
    for span in membership.spans:
        begin, end = max(span.first, first), min(span.end, last)
        days = known[span.symbol]
        if (
            begin <= end
            and not ((days >= pd.Timestamp(begin)) & (days <= pd.Timestamp(end))).any()
        ):
            found.append(f"{span.symbol} from {begin} to {end}")
    if found:
        more = len(found) - _MAX_TOLD
        listed = ", ".join(found[:_MAX_TOLD]) + (f" and {more} more" if more > 0 else "")
        yield f"members without one bar, which no strategy can hold: {listed}"


@dataclass(frozen=True)
class SymbolSpan:
    """The bars of one symbol of a panel.

    Attributes:
        bars: How many.
        first: The first, as text.
        last: The last.
        holes: Timestamps of other symbols of its calendar between them at which it has none.
    """

    bars: int
    first: str
    last: str
    holes: int

    def __str__(self) -> str:
        """In a sentence about the symbol."""
        noun = "hole" if self.holes == 1 else "holes"
        holes = f", {self.holes:,} {noun}" if self.holes else ""
        return f"{self.bars:,} bars ({self.first} to {self.last}{holes})"


def measure_panel(
    frames: Mapping[str, BarsFrame], dataset: Dataset
) -> tuple[int, dict[str, SymbolSpan]]:
    """How many timestamps a panel has, and the bars of each symbol on them.

    Args:
        frames: Validated bars of each symbol.
        dataset: For the calendar of each symbol, and the form of a timestamp.
    """
    own = {symbol: pd.DatetimeIndex(frame["timestamp"]) for symbol, frame in frames.items()}
    by_calendar: dict[str, pd.DatetimeIndex] = {}
    for symbol, times in own.items():
        calendar = dataset.calendar_of(symbol)
        by_calendar[calendar] = by_calendar.get(calendar, times).union(times)
    all_stamps = reduce(lambda one, two: one.union(two), by_calendar.values())
    spans = {}
    for symbol, times in own.items():
        stamps = by_calendar[dataset.calendar_of(symbol)]
        between = int(stamps.searchsorted(times[-1]) - stamps.searchsorted(times[0]) + 1)
        first, last = (format_timestamp(times[row], dataset.interval) for row in (0, -1))
        spans[symbol] = SymbolSpan(len(times), first, last, between - len(times))
    return len(all_stamps), spans


def describe_panel(frames: Mapping[str, BarsFrame], dataset: Dataset) -> list[str]:
    """One sentence about the symbols that have fewer bars than there are timestamps.

    Args:
        frames: Validated bars of each symbol.
        dataset: For the form of a timestamp.
    """
    count, spans = measure_panel(frames, dataset)
    shorter = [f"{symbol} {span}" for symbol, span in spans.items() if span.bars < count]
    if not shorter:
        return []
    more = len(shorter) - _MAX_TOLD
    listed = ", ".join(shorter[:_MAX_TOLD]) + (f" and {more} more" if more > 0 else "")
    return [f"a panel of {count:,} timestamps; symbols with fewer bars: {listed}"]
