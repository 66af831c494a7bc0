"""Labels that compare the symbols of a bar, on a panel: of what is known before a later part.

A return over a symbol's own bars ends later than those of the others where the symbol is halted.
Such a return counts for no other symbol of its bar before it is known itself, so that the label
of a train row never holds a return that ends in the validation or the test part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from engine.core.types import BoolMatrix, WideFrame
    from engine.features import TargetSpec
    from engine.splits.rows import TrainTestSplit
    from engine.training.panel_rows import PanelRows


def compare_known_returns(
    returns: WideFrame, bars: int, panel: PanelRows, split: TrainTestSplit, target: TargetSpec
) -> WideFrame:
    """The labels of a window: rows before the validation part know what ends before that part.

    Args:
        returns: Of the members of each bar, before they are compared; NaN where not known.
        bars: Own bars that they are over.
        panel: Rows of the symbols.
        split: The window; its validation part follows the train part.
        target: How returns are compared.

    Returns:
        The shape of `returns`; NaN from the first test row on.
    """
    rows = np.arange(len(returns))[:, None]
    held_out, test = int(split.validation[0]), split.test.start
    known = panel.ends(bars) < np.where(rows < held_out, held_out, test)
    values = np.where(known & (rows < test), returns.to_numpy(), np.nan)
    return target.relate(pd.DataFrame(values, returns.index, returns.columns))


def find_known_labels(panel: PanelRows, bars: int, row: int, *, compared: bool) -> BoolMatrix:
    """(row + 1, symbols) whether a label is known at the close of a row, whatever comes later.

    Args:
        panel: Rows of the symbols.
        bars: Own bars that the labels are over.
        row: The row.
        compared: Whether a label is known only with those of all members that have a bar.
    """
    known: BoolMatrix = panel.ends(bars)[: row + 1] <= row
    if not compared:
        return known
    counted = (panel.present.to_numpy() & panel.members.to_numpy())[: row + 1]
    complete: BoolMatrix = known & (known | ~counted).all(axis=1, keepdims=True)
    return complete
