"""Compares outputs from the real and from altered bars, and names the first difference."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from engine.core.errors import LookaheadError
from engine.leakage.rounding import forgive_rounding
from engine.runs.documents import Certificate
from engine.runs.documents.certificate import CertificateCutoff, ComparedCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from engine.core.types import IntVector
    from engine.leakage.cutoffs import Cutoff
    from engine.leakage.plan import KnownPrice

ComparedStage: TypeAlias = Literal[
    "joined bars",
    "windows",
    "features",
    "resolutions",
    "scaled inputs",
    "labels",
    "rates",
    "training arrays",
    "predictions",
    "thresholds",
    "positions",
    "costs",
    "fills",
]

FIXES: dict[ComparedStage, str] = {
    "joined bars": "join bars of several exchanges by when they close, not by their dates, and "
    "convert a price with a rate that closed before it",
    "windows": "cut windows by time alone",
    "features": "let a feature use its own bar and earlier ones: no centred window, no shift(-1), "
    "nothing filled from a later bar, no figure of the whole history",
    "resolutions": "use a coarser bar from the close that completes it, not earlier",
    "scaled inputs": "fit the scaler on the window's train rows alone",
    "labels": "let a label over h bars end h bars after its own, and the purge be as long",
    "rates": "let an interest rate apply to the bars that open after it was published",
    "training arrays": "build a window's arrays from rows up to its own test part",
    "predictions": "train on the train and validation rows alone, and forecast a row from its own "
    "sequence: no statistic of the test rows",
    "thresholds": "take thresholds from predictions on train or validation rows",
    "positions": "decide a position from forecasts and closes up to its own bar",
    "costs": "estimate what a fill pays from the bars before its own; the volume of its bar may "
    "limit how much is filled, and nothing else",
    "fills": "fill a decision on a later bar than the one whose close it was made at, at that "
    "bar's own price",
}
"""What to do where a stage leaks; in the order of a run, for what leaks early leaks further on."""


@dataclass(frozen=True, eq=False)
class BarRows:
    """Some bars of a history, looked up only where one is named: most pairs are equal.

    Attributes:
        timestamps: Of the history.
        rows: (n,) which of them.
    """

    timestamps: pd.DatetimeIndex
    rows: Sequence[int] | IntVector

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.rows)

    def __getitem__(self, place: int) -> pd.Timestamp:
        """The bar of one row."""
        return self.timestamps[int(self.rows[place])]


@dataclass(frozen=True, eq=False)
class OutputPair:
    """One output of a stage, from the real bars and from bars altered after a cutoff.

    Attributes:
        stage: That makes it.
        names: Of its columns, or one of the whole.
        bars: (n,) bar of each row, ascending.
        original: (n,) or (n, k), from the real bars; only rows that have to be equal.
        perturbed: From the altered bars.
        perturbed_bars: Of the rows of `perturbed`, where they may be other ones.
    """

    stage: ComparedStage
    names: tuple[str, ...]
    bars: BarRows | pd.DatetimeIndex
    original: npt.NDArray[Any]
    perturbed: npt.NDArray[Any]
    perturbed_bars: BarRows | pd.DatetimeIndex | None = None


def without_rounding(pair: OutputPair, rounding: float) -> OutputPair:
    """The pair, with the original value where the other one is equal up to rounding.

    Sums over arrays of other lengths may be grouped otherwise, so that the last digits differ.
    """
    return replace(pair, perturbed=forgive_rounding(pair.original, pair.perturbed, rounding))


@dataclass(frozen=True)
class Mismatch:
    """The first value that is not what it was.

    Attributes:
        stage: The stage that computes it.
        name: Of the column.
        bar: Its bar.
        original: From the real bars; None where there is no such row.
        perturbed: From the other ones; likewise.
    """

    stage: ComparedStage
    name: str
    bar: pd.Timestamp
    original: np.generic | None
    perturbed: np.generic | None


def find_first_mismatch(pair: OutputPair) -> Mismatch | None:
    """The earliest row, and in it the first column, whose bits differ.

    NaN equals NaN of the same bits; 0.0 and -0.0 differ. A row that only one of them has differs.
    """
    if _has_equal_bits(pair.original, pair.perturbed):
        return None
    real, other = _as_matrix(pair.original), _as_matrix(pair.perturbed)
    rows = min(len(real), len(other))
    differs = _bits_differ(real[:rows], other[:rows])
    if differs.any():
        row, column = np.argwhere(differs)[0].tolist()
        return _make_mismatch(pair, row, column, real[row, column], other[row, column])
    if len(real) > rows:
        return _make_mismatch(pair, rows, 0, real[rows, 0], None)
    if len(other) > rows:
        return _make_mismatch(pair, rows, 0, None, other[rows, 0])
    return None


def _has_equal_bits(one: npt.NDArray[Any], two: npt.NDArray[Any]) -> bool:
    if one.shape != two.shape or one.dtype != two.dtype:
        return False
    bits = f"u{one.dtype.itemsize}"
    return bool((one.view(bits) == two.view(bits)).all())


def _as_matrix(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values[:, None] if values.ndim == 1 else values


def _bits_differ(original: npt.NDArray[Any], perturbed: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if original.shape != perturbed.shape or original.dtype != perturbed.dtype:
        return np.ones(original.shape, dtype=bool)
    bits = f"u{original.dtype.itemsize}"
    return np.asarray(
        np.ascontiguousarray(original).view(bits) != np.ascontiguousarray(perturbed).view(bits)
    )


def _make_mismatch(
    pair: OutputPair,
    row: int,
    column: int,
    original: np.generic | None,
    perturbed: np.generic | None,
) -> Mismatch:
    both = (pair.bars, pair.bars if pair.perturbed_bars is None else pair.perturbed_bars)
    bar = min(bars[row] for bars in both if row < len(bars))
    return Mismatch(
        pair.stage, pair.names[min(column, len(pair.names) - 1)], bar, original, perturbed
    )


class OutputComparison:
    """Compares part after part, counts what was equal, and stops at the first difference."""

    def __init__(self) -> None:
        self._column_counts: Counter[ComparedStage] = Counter()
        self._value_counts: Counter[ComparedStage] = Counter()

    def require_equal(
        self, pair: OutputPair, cutoff_bar: pd.Timestamp, rounding: float = 0.0
    ) -> None:
        """Counts a part that is equal.

        Args:
            pair: Made twice.
            cutoff_bar: The last bar that both have in common.
            rounding: Difference that is none, of a value and of the spread of its column.

        Raises:
            LookaheadError: It is not.
        """
        found = find_first_mismatch(pair)
        if found and rounding:
            found = find_first_mismatch(without_rounding(pair, rounding))
        if found:
            raise make_lookahead_error(found, cutoff_bar)
        self._column_counts[pair.stage] += len(pair.names)
        self._value_counts[pair.stage] += pair.original.size

    def count_compared(self) -> dict[str, ComparedCounts]:
        """Stage -> how many columns and values were equal, in the order of the stages."""
        return {
            stage: ComparedCounts(
                columns=self._column_counts[stage], value_count=self._value_counts[stage]
            )
            for stage in FIXES
            if self._column_counts[stage]
        }


def make_lookahead_error(mismatch: Mismatch, cutoff_bar: pd.Timestamp) -> LookaheadError:
    """The error that names the first thing that knew what came later."""
    cut = format_bar(cutoff_bar)
    later = f"other bars after {cut}"
    if mismatch.stage == "fills":
        later = f"other decisions from the close of {cut} on and {later}"
    return LookaheadError(
        f"Look-ahead: {mismatch.name} knows what comes after {cut}",
        expected=f"everything up to {cut} equal, bit for bit, whatever comes later",
        found=f"{_format_value(mismatch.original)} from the real bars, "
        f"{_format_value(mismatch.perturbed)} with {later}",
        where=f"{mismatch.stage}: {mismatch.name} at {format_bar(mismatch.bar)}",
        fix=f"{FIXES[mismatch.stage]}; no result is kept of a run that knows the future",
    )


def format_bar(bar: pd.Timestamp) -> str:
    """The day alone where that says it all."""
    return f"{bar:%Y-%m-%d}" if bar == bar.normalize() else f"{bar:%Y-%m-%d %H:%M}"


def _format_value(value: np.generic | None) -> str:
    return "nothing" if value is None else f"{float(value):.10g}"


@dataclass(frozen=True)
class ProbeSummary:
    """What was done at one cutoff, for the certificate's list.

    Attributes:
        cutoff: The cutoff.
        bar: Its bar.
        window: That is tested at it; None before the first.
        n_replaced_bars: Bars after it.
        n_refits: Refits on the altered bars.
        price_known: How much of the bar was kept where its fills were probed.
    """

    cutoff: Cutoff
    bar: pd.Timestamp
    window: int | None
    n_replaced_bars: int
    n_refits: int
    price_known: KnownPrice

    def to_document(self) -> CertificateCutoff:
        """For `certificate.json`."""
        return CertificateCutoff(
            bar=self.bar.isoformat(),
            kind=self.cutoff.kind,
            window=self.window,
            replaced_bars=self.n_replaced_bars,
            refits=self.n_refits,
            fills_probed_with=self.price_known,
        )


def build_certificate(
    probes: Sequence[ProbeSummary],
    compared_counts: Mapping[str, ComparedCounts],
    *,
    books: Sequence[str],
    refit_draws: int,
    refitted_windows: int,
    seeds: int,
) -> Certificate:
    """`certificate.json` of a run in which nothing was found.

    Args:
        probes: What was done at each cutoff.
        compared_counts: As `Comparison.counts` has it.
        books: Whose positions and fills were compared.
        refit_draws: Futures before which each user's model was fitted again, the least of them.
        refitted_windows: In which a cheap one was fitted again before as many futures of each.
        seeds: Fits of each window and model.
    """
    again = [probe for probe in probes if probe.n_refits]
    missed = 0.5**refit_draws if refit_draws else None
    refits = (
        _NO_REFIT_NOTE if missed is None else _REFIT_NOTE.format(refit_draws, len(again), missed)
    )
    missing = [*_NOT_COMPARED, refits]
    if refitted_windows:
        missing.append(_WINDOWS_NOTE.format(refitted_windows))
    if seeds > 1:
        missing.append(f"Of {seeds} seeds the first predicted again: all read the same arrays.")
    return Certificate(
        result="passed",
        sentence=f"no look-ahead found at {len(probes)} cuts ({', '.join(compared_counts)})",
        cutoffs=tuple(probe.to_document() for probe in probes),
        compared=compared_counts,
        books=tuple(books),
        refits=sum(probe.n_refits for probe in probes),
        refit_draws=refit_draws,
        probability_missed=missed,
        limitations=tuple(missing),
    )


_REFIT_NOTE = (
    "A model that is not the engine's was fitted again before {} other futures, at {} of the cuts;"
    " one that makes a choice of two by its test rows chooses alike before all of them with a"
    " probability of {:.2g}."
)
_WINDOWS_NOTE = (
    "Such a model that is cheap was fitted again in {} windows besides, before 8 futures of each."
)
_NO_REFIT_NOTE = (
    "No model was fitted again: the arrays that the fits were handed, which hold no test row, were"
    " equal, and the stored models predicted again from the altered bars."
)
_NOT_COMPARED = (
    "How the bars came to be: prices that a vendor adjusts or revises later look the same before "
    "and after a cut.",
    "What was chosen by whoever wrote the strategy, who may have seen all of the bars.",
)
