"""A fitted model: all that is needed to predict from features of any bars, at any time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import DataError, UsageError
from engine.models.dataset import CoarseInputs, ModelInputs
from engine.models.joint_prediction import predict_symbol
from engine.models.networks.asset_attention import AssetAttention

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import ColumnGroups, Prediction
    from engine.models.forecaster import FittedForecaster
    from engine.splits import Scaler


@dataclass(frozen=True, eq=False)
class CoarseRows:
    """Unscaled features at one coarser interval.

    Attributes:
        features: (m, k) of the coarse bars, oldest first.
        latest: (n,) one for each row: the newest coarse bar that is complete at its close.
    """

    features: Matrix
    latest: IntVector


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """Unscaled features, a row a bar in time order; all is known at the row's close.

    Attributes:
        features: (n, k) float64.
        trailing: (n,) return of the forecast symbol over as many bars as the first horizon.
        coarse: Features at coarser intervals.
    """

    features: Matrix
    trailing: Vector
    coarse: tuple[CoarseRows, ...] = ()


@dataclass(frozen=True, eq=False)
class ScaledColumns:
    """The columns of one interval, their scaling, and how they were distributed.

    Attributes:
        names: k names of features such as `BTC-USD:rsi_14`.
        groups: Columns of each series, one tuple per symbol.
        scaler: Fitted on the train rows.
        build_quantiles: Builds `quantiles`; few readers of the columns need them.
    """

    names: tuple[str, ...]
    groups: ColumnGroups
    scaler: Scaler
    build_quantiles: Callable[[], Matrix]

    @cached_property
    def quantiles(self) -> Matrix:
        """(q, k) of each unscaled feature over the train rows, at `QUANTILE_LEVELS`."""
        return self.build_quantiles()

    def scale(
        self, features: Matrix, sequences: tuple[IntVector, int] | None = None
    ) -> npt.NDArray[np.float32]:
        """(n, k) float32.

        Args:
            features: (n, k).
            sequences: The last rows of the sequences that are read, and their length; other rows
                may be 0. Default: every row is read.

        Raises:
            UsageError: There are not as many columns as names.
        """
        if features.ndim != 2 or features.shape[1] != len(self.names):
            raise UsageError(
                "the features are not those that the model was fitted on",
                expected=f"{len(self.names)} columns: {', '.join(self.names)}",
                found=f"shape {features.shape}",
                fix="compute them with the strategy that the model belongs to",
            )
        if sequences is None:
            return self.scaler.transform(features).astype(np.float32)
        return self.scaler.transform_sequences(features, *sequences).astype(np.float32)


QUANTILE_LEVELS = np.linspace(0.0, 1.0, 101)
"""Levels of `ScaledColumns.quantiles`: minimum, percentiles, maximum."""


@dataclass(frozen=True, eq=False)
class InputTransform:
    """From unscaled features to the inputs of a forecaster.

    Attributes:
        symbol: Symbol of the forecast return.
        horizons: Bars ahead that are forecast, ascending.
        recursive: Whether they are forecast step by step.
        columns: Columns at the bars' own interval.
        coarse: Columns at each coarser interval.
        symbols: Of a joint fit, all symbols that it forecasts together, in the order of its
            columns; `symbol` is one of them.
        embedded: Of a pooled fit with an embedding, the symbols that have a vector of their own;
            another symbol has their mean.
    """

    symbol: str
    horizons: tuple[int, ...]
    recursive: bool
    columns: ScaledColumns
    coarse: tuple[ScaledColumns, ...] = ()
    symbols: tuple[str, ...] = ()
    embedded: tuple[str, ...] = ()

    def apply(
        self, rows: FeatureRows, sequences: tuple[IntVector, int] | None = None
    ) -> ModelInputs:
        """Scales the features.

        Args:
            rows: The features.
            sequences: As in `ScaledColumns.scale`, of the bars' own interval.

        Raises:
            UsageError: The columns are not those of the fit.
        """
        if len(rows.coarse) != len(self.coarse):
            raise UsageError(
                "the coarser intervals are not those that the model was fitted on",
                expected=f"{len(self.coarse)}",
                found=f"{len(rows.coarse)}",
            )
        return ModelInputs(
            inputs=self.columns.scale(rows.features, sequences),
            trailing=rows.trailing,
            groups=self.columns.groups,
            horizons=self.horizons,
            recursive=self.recursive,
            coarse=tuple(
                CoarseInputs(columns.scale(each.features), each.latest, columns.groups)
                for columns, each in zip(self.coarse, rows.coarse, strict=True)
            ),
            symbols=self.symbols,
            embedded=self.embedded,
            row_symbols=self._number_rows(len(rows.features)),
        )

    def _number_rows(self, count: int) -> IntVector | None:
        """(count,) the number of the symbol among those that are embedded."""
        if not self.embedded:
            return None
        known = self.symbol in self.embedded
        number = self.embedded.index(self.symbol) if known else len(self.embedded)
        return np.full(count, number, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """All that serving needs; it knows no window and no later bar.

    Attributes:
        forecaster: The fitted forecaster.
        train: (n,) or (n, m) its predictions on the train rows, for thresholds.
        validation: Its predictions on the validation rows.
        realised: (n, m) realised returns on the validation rows, for intervals around forecasts.
        transform: From features to inputs; None where the inputs were scaled by other means, as
            by the replication of a paper.
        spans: `train` and `validation` -> timestamps of the first and the last row, ISO 8601.
        versions: Of the libraries that the numbers depend on.
        pooled: Of a model that was fitted on several symbols, the transform of each; it serves one
            of them with its transform.
    """

    forecaster: FittedForecaster
    train: Vector | Matrix
    validation: Vector | Matrix
    realised: Matrix
    transform: InputTransform | None = None
    spans: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    pooled: tuple[InputTransform, ...] = ()

    @property
    def lookback(self) -> int:
        """Bars in a sequence."""
        return self.forecaster.model.lookback

    @property
    def context(self) -> int:
        """Rows that must precede a predicted row, for its sequence and for the scaling."""
        return self.lookback - 1 + self.input_transform.columns.scaler.context

    @property
    def input_transform(self) -> InputTransform:
        """The transform.

        Raises:
            UsageError: There is none.
        """
        if self.transform is None:
            raise UsageError(
                "the model has no transform of features",
                expected="a fit of a strategy",
                found="a fit on arrays that were scaled by other means",
            )
        return self.transform

    def predict(self, rows: FeatureRows, at: IntVector) -> Prediction:
        """Predicts some rows; the prediction of a row depends on it and the bars before it alone.

        Args:
            rows: Unscaled features of bars without a gap, at least `context` before each of `at`.
            at: (n,) rows to predict.

        Raises:
            UsageError: The features are not those of the fit, or a sequence is not there.
            DataError: A feature that a sequence touches is not finite.
        """
        inputs = self.prepare(rows, at)
        if inputs.symbols:
            return predict_symbol(self.forecaster, inputs, at, self.input_transform.symbol)
        return self.forecaster.predict(inputs, at)

    def attention_weights(self, rows: FeatureRows, at: IntVector) -> npt.NDArray[np.float32]:
        """How much each symbol attends to each other, of a model with attention over symbols.

        Args:
            rows: As in `predict`.
            at: As in `predict`.

        Returns:
            (n, heads, symbols, symbols) in the order of `input_transform.symbols`; the last axis
            sums to 1.

        Raises:
            UsageError: The model has no attention over symbols, or as `predict`.
            DataError: As `predict`.
        """
        model = self.forecaster.model
        if not isinstance(model, AssetAttention):
            raise UsageError(
                "the model has no attention over symbols",
                expected="asset_attention",
                found=model.kind,
            )
        return model.attention_weights(self.forecaster, self.prepare(rows, at), at)

    def of_symbol(self, symbol: str) -> FittedModel:
        """The same joint fit as the model of another of its symbols, for `predict`.

        Its predictions on train and validation rows are not there: they are of one symbol.

        Raises:
            UsageError: It does not forecast this symbol.
        """
        transform = self.input_transform
        if symbol not in transform.symbols:
            raise UsageError(
                "the model does not forecast this symbol",
                expected=", ".join(transform.symbols) or transform.symbol,
                found=symbol,
            )
        empty = self.train[:0], self.validation[:0], self.realised[:0]
        train, validation, realised = empty
        own = replace(transform, symbol=symbol)
        return replace(self, train=train, validation=validation, realised=realised, transform=own)

    def prepare(self, rows: FeatureRows, at: IntVector) -> ModelInputs:
        """The scaled inputs that `predict` reads, checked.

        Args:
            rows: As in `predict`.
            at: As in `predict`.

        Raises:
            UsageError: As `predict`.
            DataError: As `predict`.
        """
        inputs = self.input_transform.apply(rows, (at, self.lookback) if len(at) else None)
        if len(at):
            transform = self.input_transform
            self._check_sequences(transform.columns, inputs.inputs, at)
            for columns, coarse in zip(transform.coarse, inputs.coarse, strict=True):
                self._check_sequences(columns, coarse.inputs, coarse.latest[at])
        return inputs

    def _check_sequences(
        self, columns: ScaledColumns, inputs: npt.NDArray[np.float32], ends: IntVector
    ) -> None:
        """Whether the sequences at one interval that end at some bars are there and finite."""
        needed = self.lookback - 1 + columns.scaler.context
        first = last = int(ends[0])
        if len(ends) > 1:
            first, last = int(ends.min()), int(ends.max())
        if last >= len(inputs):
            raise UsageError(
                "a row to predict is not there",
                expected=f"rows up to {len(inputs) - 1}",
                found=f"{last}",
                where=f"bars of {columns.names[0]}",
                fix="give the features of that bar too",
            )
        if first < needed:
            raise UsageError(
                "there are too few bars before a row to predict",
                expected=f"{needed} bars before it",
                found=f"{first}",
                where=f"bars of {columns.names[0]}",
                fix="give a longer history",
            )
        start = first - self.lookback + 1
        read_inputs = inputs[start : last + 1]
        if np.isfinite(read_inputs).all():
            return
        finite = self._are_known(columns, read_inputs)
        if not finite.all():
            read = np.zeros(len(finite), dtype=bool)
            read[ends[:, None] - start + np.arange(1 - self.lookback, 1)] = True
            bad = np.argwhere(~finite & read[:, None])
        if not finite.all() and len(bad):
            row, column = bad[0]
            raise DataError(
                "a feature is not finite",
                expected="a number on every bar after the warm-up",
                found=f"{columns.names[column]}, {len(bad)} in all",
                where=f"row {start + row}",
                fix="check the bars around it, or leave the feature out",
            )

    def _are_known(
        self, columns: ScaledColumns, inputs: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.bool_]:
        """Which inputs are finite, or of another symbol of a joint fit that is absent there."""
        known: npt.NDArray[np.bool_] = np.isfinite(inputs)
        transform = self.input_transform
        for symbol, group in zip(transform.symbols, columns.groups, strict=False):
            if symbol != transform.symbol:
                own = list(group)
                known[:, own] |= np.isnan(inputs[:, own]).all(axis=1, keepdims=True)
        return known
