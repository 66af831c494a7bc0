"""At which bars something traded, by their volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Matrix, Vector, WideFrame


def find_traded_bars(
    volume: WideFrame, high: WideFrame, low: WideFrame, close: WideFrame
) -> WideFrame:
    """Whether something traded at each bar: its volume is not 0, or volumes say nothing.

    The volumes of a symbol say nothing at a bar if

    - no bar before it has a volume above 0, or
    - more than half of the bars before it have a volume of 0 and moved all the same: the high is
      above the low, or the close differs from the one before.

    So orders are filled where a source writes 0 for volumes that it does not have, and wait
    through a halt and through minutes without a trade, however many: bars that did not move.

    A bar is judged by its own volume and by earlier bars; no later bar changes the answer.

    Args:
        volume: Wide volumes of all bars, from the first of the history on. NaN is not known.
        high: The same bars.
        low: The same bars.
        close: The same bars; NaN where a symbol of a panel has none.

    Returns:
        The shape of `volume`, bool. True where the volume alone is NaN, False where there is no
        bar.
    """
    volumes, closes = volume.to_numpy(dtype=np.float64), close.to_numpy(dtype=np.float64)
    if np.isnan(closes).any():
        return _of_own_bars(volume, high, low, close)
    zero = volumes == 0.0
    if not zero.any():
        traded = np.ones(zero.shape, dtype=bool)
    else:
        moved = high.to_numpy() > low.to_numpy()
        moved |= np.diff(closes, axis=0, prepend=closes[:1]) != 0.0
        bars_before = np.arange(len(zero))[:, None]
        silent = _count_before(volumes > 0.0) == 0
        silent |= 2 * _count_before(zero & moved) > bars_before
        traded = ~zero | silent
    return pd.DataFrame(traded, index=volume.index, columns=volume.columns)


def _of_own_bars(
    volume: WideFrame, high: WideFrame, low: WideFrame, close: WideFrame
) -> WideFrame:
    """The same of each symbol by its own bars alone."""
    traded = np.zeros(close.shape, dtype=bool)
    for place in range(close.shape[1]):
        own = [wide.iloc[:, [place]] for wide in (volume, high, low, close)]
        present = ~np.isnan(own[-1].to_numpy()[:, 0])
        found = find_traded_bars(*(each[present] for each in own))
        traded[present, place] = found.to_numpy()[:, 0]
    return pd.DataFrame(traded, index=close.index, columns=close.columns)


@dataclass(frozen=True)
class TradedBars:
    """`find_traded_bars` of one symbol whose bars arrive one after another.

    Attributes:
        bars: Bars so far.
        with_volume: Those of a volume above 0.
        moved_without: Those of a volume of 0 that moved all the same.
        close: Close of the last; None before the first.
    """

    bars: int = 0
    with_volume: int = 0
    moved_without: int = 0
    close: float | None = None

    @classmethod
    def of_history(cls, volume: Vector, high: Vector, low: Vector, close: Vector) -> TradedBars:
        """After the bars of a history, one or more."""
        moved = (high > low) | (np.diff(close, prepend=close[:1]) != 0.0)
        return cls(
            len(close),
            int((volume > 0.0).sum()),
            int(((volume == 0.0) & moved).sum()),
            float(close[-1]),
        )

    def advance(
        self, *, volume: float, high: float, low: float, close: float
    ) -> tuple[TradedBars, bool]:
        """After one more bar, and whether something traded at it."""
        silent = self.with_volume == 0 or 2 * self.moved_without > self.bars
        moved = high > low or (self.close is not None and close != self.close)
        following = TradedBars(
            self.bars + 1,
            self.with_volume + (volume > 0.0),
            self.moved_without + (volume == 0.0 and moved),
            close,
        )
        return following, bool(volume != 0.0 or silent)


def _count_before(is_counted: npt.NDArray[np.bool_]) -> Matrix:
    """For each row how many rows before it are true, by column."""
    counted: Matrix = np.cumsum(is_counted, axis=0) - is_counted
    return counted
