"""The newest rows of features, as many as the models of a window need for one forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.features.cross_section import transform_returns
from engine.models.fitted_model import CoarseRows, FeatureRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import IntVector, Matrix, Vector
    from engine.features.cross_section import TargetTransform
    from engine.features.stream import StreamedFeatures, StreamedRow
    from engine.models.fitted_model import FittedModel


@dataclass(frozen=True, eq=False)
class CoarseTail:
    """The newest coarse bars.

    Attributes:
        features: (m, k), oldest first.
        dropped: Coarse bars before them.
        latest: Of each base row the newest coarse bar, counted from the first of the history.
    """

    features: Matrix
    dropped: int
    latest: IntVector

    def append(self, completed: Matrix, latest: IntVector, kept: int) -> CoarseTail:
        """The tail after further base bars.

        Args:
            completed: (c, k) features of the coarse bars that they complete.
            latest: Of each base bar, as `latest`.
            kept: Most rows that are kept.
        """
        features = np.vstack([self.features, completed]) if len(completed) else self.features
        surplus = max(len(features) - kept, 0)
        latest = np.append(self.latest, latest)[-kept:]
        return CoarseTail(
            features[surplus:].copy() if surplus else features, self.dropped + surplus, latest
        )

    def select(self, context: int, columns: slice) -> CoarseRows:
        """What a forecast of the newest row with that many rows before it needs."""
        latest = self.latest[-1 - context :] - self.dropped
        start = max(0, int(latest[-1]) - context)
        return CoarseRows(
            self.features[start : int(latest[-1]) + 1, columns], np.maximum(latest - start, -1)
        )


@dataclass(frozen=True, eq=False)
class RecentRows:
    """The newest rows of a history; no call changes them.

    Attributes:
        kept: Most rows that are kept, of each interval.
        features: (n, k) of the bars' own interval, n up to `kept`.
        closes: (n + longest horizon, m) of the target symbols; fewer near the first bar.
        symbols: The m target symbols.
        seen: Target symbol -> the columns that its model sees, of each interval.
        coarse: Of each resolution.
        transform: How trailing returns are related to those of the other target symbols.
    """

    kept: int
    horizon: int
    features: Matrix
    closes: Matrix
    symbols: tuple[str, ...]
    seen: Mapping[str, slice]
    coarse: tuple[CoarseTail, ...]
    transform: TargetTransform = "raw"

    @classmethod
    def empty(
        cls,
        kept: int,
        horizon: int,
        symbols: tuple[str, ...],
        streamed: StreamedFeatures,
        *,
        own_inputs: bool = False,
        transform: TargetTransform = "raw",
    ) -> RecentRows:
        """No rows, of the shape of these features; `own_inputs` as in `FeatureHistory`."""
        own = dict(streamed.features.symbol_columns)
        return cls(
            kept,
            horizon,
            streamed.features.values[:0],
            np.empty((0, len(symbols))),
            symbols,
            {
                symbol: slice(own[symbol][0], own[symbol][-1] + 1) if own_inputs else slice(None)
                for symbol in symbols
            },
            tuple(
                CoarseTail(part.features.values[:0], 0, part.latest[:0])
                for part in streamed.coarse
            ),
            transform,
        )

    def extend(self, streamed: StreamedFeatures, closes: Matrix) -> RecentRows:
        """The rows after the bars of a history.

        Args:
            streamed: Features of these bars.
            closes: (n, m) their closes.
        """
        coarse = [(part.features.values, part.latest) for part in streamed.coarse]
        return self._append(streamed.features.values, closes, coarse)

    def append(self, row: StreamedRow, closes: Sequence[float]) -> RecentRows:
        """The rows after one more bar.

        Args:
            row: Its features.
            closes: Its m closes.
        """
        coarse = [(completed, np.array([latest])) for completed, latest in row.coarse]
        return self._append(row.values[None, :], np.array([closes]), coarse)

    def repeat_newest(self) -> RecentRows:
        """The rows after one more bar with the values of the newest."""
        coarse = [(tail.features[:0], tail.latest[-1:]) for tail in self.coarse]
        return self._append(self.features[-1:], self.closes[-1:], coarse)

    def _append(
        self, features: Matrix, closes: Matrix, coarse: Sequence[tuple[Matrix, IntVector]]
    ) -> RecentRows:
        return RecentRows(
            self.kept,
            self.horizon,
            _newest(self.features, features, self.kept),
            _newest(self.closes, closes, self.kept + self.horizon),
            self.symbols,
            self.seen,
            tuple(
                tail.append(completed, latest, self.kept)
                for tail, (completed, latest) in zip(self.coarse, coarse, strict=True)
            ),
            self.transform,
        )

    def select(self, model: FittedModel, symbol: str) -> tuple[FeatureRows, IntVector]:
        """What a model needs to forecast the newest row: `select_feature_rows` of that row."""
        seen = slice(None) if model.input_transform.symbols else self.seen[symbol]
        features = self.features[-1 - model.context :, seen]
        trailing = self._trailing(symbol, model.input_transform.horizons[0], len(features))
        rows = FeatureRows(
            features, trailing, tuple(tail.select(model.context, seen) for tail in self.coarse)
        )
        return rows, np.array([len(features) - 1], dtype=np.int64)

    def newest_return(self, horizon: int) -> float:
        """The return of the one symbol over its last `horizon` bars; NaN where it has fewer."""
        close = self.closes[:, 0]
        return float(close[-1] / close[-1 - horizon] - 1.0) if len(close) > horizon else np.nan

    def _trailing(self, symbol: str, horizon: int, rows: int) -> Vector:
        """(rows,) returns over the last `horizon` bars; NaN where no close is before."""
        own = self.symbols.index(symbol)
        if self.transform != "raw":
            close = self.closes[-rows - horizon :]
            returns = transform_returns(close[horizon:] / close[:-horizon] - 1.0, self.transform)
            returns = returns[:, own]
        else:
            close = self.closes[-rows - horizon :, own]
            returns = close[horizon:] / close[:-horizon] - 1.0
        if len(returns) == rows:
            return returns
        return np.append(np.full(rows - len(returns), np.nan), returns)


def _newest(rows: Matrix, arrived: Matrix, kept: int) -> Matrix:
    """The last rows of both, in an array of their own: a slice would hold the history."""
    if len(rows) == kept and len(arrived) == 1:
        moved = np.empty_like(rows)
        moved[:-1], moved[-1] = rows[1:], arrived[0]
        return moved
    joined = np.vstack([rows[max(0, len(rows) + len(arrived) - kept) :], arrived])
    return joined[-kept:].copy() if len(joined) > kept else joined
