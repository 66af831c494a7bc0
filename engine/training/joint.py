"""One fit that forecasts several symbols of a bar together, and the model of each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.splits.rows import row_index
from engine.training.datasets import build_training_set, target_returns, with_horizons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.core.types import BoolVector, Matrix
    from engine.models.dataset import TrainingSet
    from engine.models.fitted_model import FittedModel, InputTransform
    from engine.splits.rows import TrainTestSplit
    from engine.training.feature_history import FeatureHistory


@dataclass(frozen=True, eq=False)
class JointSymbols:
    """The symbols of a joint fit, in the order of their columns.

    Attributes:
        symbols: The symbols.
        transform: What scaled the features of all of them.
    """

    symbols: tuple[str, ...]
    transform: InputTransform

    @property
    def transforms(self) -> tuple[InputTransform, ...]:
        """The one transform."""
        return (self.transform,)

    @property
    def kept_transforms(self) -> tuple[InputTransform, ...]:
        """None besides the model's own, which serves every symbol."""
        return ()

    def select(self, fitted: FittedModel, arrays: TrainingSet, symbol: str) -> FittedModel:
        """The model of one symbol: its column, on the rows at which its return is known.

        Args:
            fitted: The joint model.
            arrays: What it was fitted on.
            symbol: One of the symbols.
        """
        columns = self._columns(arrays, symbol)
        known: BoolVector = np.isfinite(arrays.target[:, columns].sum(axis=1))
        train, validation = (known[rows] for rows in (arrays.train, arrays.validation))
        own = replace(self.transform, symbol=symbol)
        values = (fitted.train[train], fitted.validation[validation], fitted.realised[validation])
        of_train, of_validation, realised = (part[:, columns] for part in values)
        single = len(arrays.horizons) == 1
        return replace(
            fitted,
            train=of_train[:, 0] if single else of_train,
            validation=of_validation[:, 0] if single else of_validation,
            realised=realised,
            transform=own,
        )

    def split(self, arrays: TrainingSet) -> Iterator[tuple[str, TrainingSet]]:
        """The arrays, which belong to all symbols together."""
        yield ", ".join(self.symbols), arrays

    def _columns(self, arrays: TrainingSet, symbol: str) -> slice:
        width, place = len(arrays.horizons), self.symbols.index(symbol)
        return slice(place * width, (place + 1) * width)


def build_joint_set(
    history: FeatureHistory,
    symbols: Sequence[str],
    window: TrainTestSplit,
    horizons: tuple[int, ...],
    lookback: int,
) -> tuple[TrainingSet, JointSymbols, Matrix]:
    """The arrays of one joint fit.

    Args:
        history: Features of these symbols alone, and their returns.
        symbols: In the order of the features.
        window: Train and validation rows.
        horizons: Bars ahead, ascending.
        lookback: Bars before the first train row that the arrays begin with.

    Returns:
        The inputs of all symbols with a column of returns for each symbol and horizon; the
        symbols; and the realised returns on the validation rows, (n, symbols * horizons).

    Raises:
        DataError: A feature is not finite on a row that a sequence touches.
        InvalidBarsError: A feature is not finite on a train row.
    """
    seen = replace(history, own_inputs=False)
    first, transform = build_training_set(seen, symbols[0], window, lookback)
    if horizons != first.horizons:
        first = with_horizons(first, seen, symbols[0], window, horizons)
    stop = int(window.validation[-1]) + 1
    rows = slice(stop - len(first.inputs), stop)
    joint = replace(first, target=_returns_of(seen, symbols, rows, horizons), symbols=(*symbols,))
    own = replace(transform, horizons=horizons, symbols=(*symbols,))
    realised = _returns_of(seen, symbols, row_index(window.validation), horizons)
    return joint, JointSymbols((*symbols,), own), realised


def _returns_of(
    history: FeatureHistory,
    symbols: Sequence[str],
    rows: slice | np.ndarray,
    horizons: tuple[int, ...],
) -> Matrix:
    """(n, symbols * horizons), symbol by symbol."""
    return np.column_stack([target_returns(history, each, rows, horizons) for each in symbols])
