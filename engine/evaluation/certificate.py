"""The leak certificate: what was made twice is compared, and the first difference is named."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from engine.errors import CertificateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from engine.evaluation.cuts import Cut
    from engine.evaluation.schedule import Known

Stage: TypeAlias = Literal[
    "windows",
    "features",
    "resolutions",
    "scaled inputs",
    "labels",
    "training arrays",
    "predictions",
    "thresholds",
    "positions",
    "fills",
]

REMEDIES: dict[Stage, str] = {
    "windows": "cut windows by time alone",
    "features": "let a feature use its own bar and earlier ones: no centred window, no shift(-1), "
    "nothing filled from a later bar, no figure of the whole history",
    "resolutions": "use a coarser bar from the close that completes it, not earlier",
    "scaled inputs": "fit the scaler on the window's train rows alone",
    "labels": "let a label over h bars end h bars after its own, and the purge be as long",
    "training arrays": "build a window's arrays from rows up to its own test part",
    "predictions": "train on the train and validation rows alone, and forecast a row from its own "
    "sequence: no statistic of the test rows",
    "thresholds": "take thresholds from predictions on train or validation rows",
    "positions": "decide a position from forecasts and closes up to its own bar",
    "fills": "fill a decision on a later bar than the one whose close it was made at, at that "
    "bar's own price",
}
"""What to do where a stage leaks; in the order of a run, for what leaks early leaks further on."""


@dataclass(frozen=True, eq=False)
class Part:
    """One thing that was made from the real bars, and again from those with others after a cut.

    Attributes:
        stage: That makes it.
        names: Of its columns, or one of the whole.
        bars: (n,) bar of each row, ascending.
        real: (n,) or (n, k), from the real bars; only rows that have to be equal.
        other: From the other bars.
        other_bars: Of the rows of `other`, where they may be other ones.
    """

    stage: Stage
    names: tuple[str, ...]
    bars: pd.DatetimeIndex
    real: npt.NDArray[Any]
    other: npt.NDArray[Any]
    other_bars: pd.DatetimeIndex | None = None


@dataclass(frozen=True)
class Difference:
    """The first value that is not what it was.

    Attributes:
        stage: That made it.
        name: Of the column.
        bar: Its bar.
        real: From the real bars; None where there is no such row.
        other: From the other ones; likewise.
    """

    stage: Stage
    name: str
    bar: pd.Timestamp
    real: np.generic | None
    other: np.generic | None


def first_difference(part: Part) -> Difference | None:
    """The earliest row, and in it the first column, whose bits differ.

    NaN equals NaN of the same bits; 0.0 and -0.0 differ. A row that only one of them has differs.
    """
    real, other = _matrix(part.real), _matrix(part.other)
    rows = min(len(real), len(other))
    differs = _differing(real[:rows], other[:rows])
    if differs.any():
        row, column = np.argwhere(differs)[0].tolist()
        return _difference(part, row, column, real[row, column], other[row, column])
    if len(real) > rows:
        return _difference(part, rows, 0, real[rows, 0], None)
    if len(other) > rows:
        return _difference(part, rows, 0, None, other[rows, 0])
    return None


def _matrix(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values[:, None] if values.ndim == 1 else values


def _differing(real: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if real.shape != other.shape or real.dtype != other.dtype:
        return np.ones(real.shape, dtype=bool)
    bits = f"u{real.dtype.itemsize}"
    return np.asarray(
        np.ascontiguousarray(real).view(bits) != np.ascontiguousarray(other).view(bits)
    )


def _difference(
    part: Part, row: int, column: int, real: np.generic | None, other: np.generic | None
) -> Difference:
    both = (part.bars, part.bars if part.other_bars is None else part.other_bars)
    bar = min(bars[row] for bars in both if row < len(bars))
    return Difference(part.stage, part.names[min(column, len(part.names) - 1)], bar, real, other)


class Comparison:
    """Compares part after part, counts what was equal, and stops at the first difference."""

    def __init__(self) -> None:
        self._parts: Counter[Stage] = Counter()
        self._values: Counter[Stage] = Counter()

    def insist_same(self, part: Part, cut_bar: pd.Timestamp) -> None:
        """Counts a part that is equal.

        Args:
            part: Made twice.
            cut_bar: The last bar that both were made from.

        Raises:
            CertificateError: It is not.
        """
        if found := first_difference(part):
            raise leak(found, cut_bar)
        self._parts[part.stage] += len(part.names)
        self._values[part.stage] += part.real.size

    def counts(self) -> dict[str, dict[str, int]]:
        """Stage -> how many columns and values were equal, in the order of the stages."""
        return {
            stage: {"columns": self._parts[stage], "values": self._values[stage]}
            for stage in REMEDIES
            if self._parts[stage]
        }


def leak(found: Difference, cut_bar: pd.Timestamp) -> CertificateError:
    """The error that names the first thing that knew what came later."""
    cut = bar_text(cut_bar)
    later = f"other bars after {cut}"
    if found.stage == "fills":
        later = f"other decisions from the close of {cut} on and {later}"
    return CertificateError(
        f"Look-ahead: {found.name} knows what comes after {cut}",
        expected=f"everything up to {cut} equal, bit for bit, whatever comes later",
        found=f"{_value(found.real)} from the real bars, {_value(found.other)} with {later}",
        where=f"{found.stage}: {found.name} at {bar_text(found.bar)}",
        fix=f"{REMEDIES[found.stage]}; no result is kept of a run that knows the future",
    )


def bar_text(bar: pd.Timestamp) -> str:
    """The day alone where that says it all."""
    return f"{bar:%Y-%m-%d}" if bar == bar.normalize() else f"{bar:%Y-%m-%d %H:%M}"


def _value(value: np.generic | None) -> str:
    return "nothing" if value is None else f"{float(value):.10g}"


@dataclass(frozen=True)
class Probe:
    """What was done at one cut, for the certificate's list.

    Attributes:
        cut: The cut.
        bar: Its bar.
        window: That is tested at it; None before the first.
        replaced: Bars after it.
        refitted: Fits that were made again on the other bars.
        known: How much of the bar was kept where its fills were probed.
    """

    cut: Cut
    bar: pd.Timestamp
    window: int | None
    replaced: int
    refitted: int
    known: Known

    def told(self) -> dict[str, Any]:
        """For `certificate.json`."""
        return {
            "bar": self.bar.isoformat(),
            "kind": self.cut.kind,
            "window": self.window,
            "bars_replaced": self.replaced,
            "fits_refitted": self.refitted,
            "fills_probed_with": self.known,
        }


def certificate(
    probes: Sequence[Probe],
    compared: dict[str, dict[str, int]],
    *,
    books: Sequence[str],
    seeds: int,
) -> dict[str, Any]:
    """`certificate.json` of a run in which nothing was found.

    Args:
        probes: What was done at each cut.
        compared: As `Comparison.counts` has it.
        books: Whose positions and fills were compared.
        seeds: Fits of each window and model.
    """
    again = [probe for probe in probes if probe.refitted]
    missing = [*_NOT_COMPARED, _FITS.format(len(again))]
    if seeds > 1:
        missing.append(f"Of {seeds} seeds the first was fitted again: all read the same arrays.")
    return {
        "result": "passed",
        "sentence": f"no look-ahead found at {len(probes)} cuts ({', '.join(compared)})",
        "cuts": [probe.told() for probe in probes],
        "compared": compared,
        "books": list(books),
        "fits_refitted": sum(probe.refitted for probe in probes),
        "not_compared": missing,
    }


_FITS = (
    "A window was fitted again at {} of the cuts; at the others the arrays of its fit were equal "
    "up to the cut."
)
_NOT_COMPARED = (
    "How the bars came to be: prices that a vendor adjusts or revises later look the same before "
    "and after a cut.",
    "What was chosen by whoever wrote the strategy, who may have seen all of the bars.",
)
