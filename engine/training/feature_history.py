"""Features and returns of all bars, from which the rows of every fit are taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from engine.training.panel_labels import compare_known_returns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Vector, WideFrame
    from engine.features import CoarseFeatures, FeatureMatrix, TargetSpec
    from engine.splits import Scaling
    from engine.splits.rows import TrainTestSplit
    from engine.training.panel_rows import PanelRows


@dataclass(frozen=True)
class FeatureHistory:
    """Features and returns of all bars, from which the arrays of the windows are taken.

    Attributes:
        features: Features known at each close.
        forward_returns: Horizon -> wide: return over the next `horizon` bars, NaN where not yet
            known; as `target.transform` says, relative to the other symbols.
        trailing_returns: Horizon -> wide: return over the last `horizon` bars, likewise.
        target: The horizons that are forecast, and how; `forward_returns` and `trailing_returns`
            have all of them.
        scaling: Scaling of the features, fitted on each window's train rows.
        coarse: Features at coarser intervals known at each close.
        own_inputs: Whether the model of a symbol sees the features of that symbol alone.
        panel: The rows of each symbol, where they have not all of them. Features and returns are
            NaN at the others, and returns are over own bars.
        uncompared: Of a panel whose target compares symbols, `forward_returns` of the members of
            each bar before they are compared.
    """

    features: FeatureMatrix
    forward_returns: Mapping[int, WideFrame]
    trailing_returns: Mapping[int, WideFrame]
    target: TargetSpec
    scaling: Scaling
    coarse: tuple[CoarseFeatures, ...] = ()
    own_inputs: bool = False
    panel: PanelRows | None = None
    uncompared: Mapping[int, WideFrame] = field(default_factory=dict)

    def seen_by(self, symbol: str) -> FeatureHistory:
        """The same history with the features alone that the model of a symbol sees.

        Of a panel it has the rows at which the symbol has a bar.
        """
        if not self.own_inputs:
            return self
        if self.panel is not None:
            return self._own_history(symbol)
        coarse = [replace(each, features=each.features.of_symbol(symbol)) for each in self.coarse]
        return replace(
            self,
            features=self.features.of_symbol(symbol),
            coarse=tuple(coarse),
            own_inputs=False,
        )

    @cached_property
    def _own_histories(self) -> dict[str, FeatureHistory]:
        """Those of the symbols of a panel that were asked for."""
        return {}

    def _own_history(self, symbol: str) -> FeatureHistory:
        """The rows at which a symbol of a panel has a bar, as if there were no others."""
        known, panel = self._own_histories, self.panel
        if panel is None or symbol in known:
            return known[symbol]
        rows, features = panel.own_rows(symbol), self.features.of_symbol(symbol)
        stamps = features.timestamps[rows]

        def chosen(returns: Mapping[int, WideFrame]) -> dict[int, WideFrame]:
            return {
                bars: pd.DataFrame({symbol: column_of(wide, symbol)[rows]}, index=stamps)
                for bars, wide in returns.items()
            }

        known[symbol] = replace(
            self,
            features=replace(
                features, timestamps=features.timestamps[rows], values=features.values[rows]
            ),
            forward_returns=chosen(self.forward_returns),
            trailing_returns=chosen(self.trailing_returns),
            own_inputs=False,
            panel=None,
            uncompared={},
        )
        return known[symbol]

    def seen_in(self, symbol: str, split: TrainTestSplit) -> FeatureHistory:
        """`seen_by` with the labels that a fit in a split may have, which know no later part."""
        own = self.seen_by(symbol)
        if self.panel is None or not self.uncompared:
            return own
        rows, stamps = self.panel.own_rows(symbol), own.features.timestamps
        labels = {
            bars: pd.DataFrame({symbol: column_of(wide, symbol)[rows]}, index=stamps)
            for bars, wide in self._labels_in(split).items()
        }
        return replace(own, forward_returns=labels)

    @cached_property
    def _newest_labels(self) -> dict[tuple[int, int], dict[int, WideFrame]]:
        """Those of the split that was asked for last: every symbol asks for the same."""
        return {}

    def _labels_in(self, split: TrainTestSplit) -> dict[int, WideFrame]:
        known, place = self._newest_labels, (int(split.validation[0]), split.test.start)
        if place not in known:
            assert self.panel is not None
            known.clear()
            known[place] = {
                bars: compare_known_returns(returns, bars, self.panel, split, self.target)
                for bars, returns in self.uncompared.items()
            }
        return known[place]

    def own_split(self, symbol: str, split: TrainTestSplit) -> TrainTestSplit:
        """The rows of a symbol in a split, counted in those of `seen_by`."""
        return split if self.panel is None else self.panel.split(symbol, split)

    def is_fitted(self, symbol: str, split: TrainTestSplit) -> bool:
        """Whether a symbol has the train rows that a scaling of its own needs."""
        return self.panel is None or self.panel.split(symbol, split).is_fitted

    def fits_alone(self, symbol: str, split: TrainTestSplit) -> bool:
        """Whether a symbol has the train and validation rows that a model of its own needs."""
        if self.panel is None:
            return True
        own = self.panel.split(symbol, split)
        return own.is_fitted and len(own.validation) > 0

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all features, those of the bars' own interval first."""
        coarse = (name for resolution in self.coarse for name in resolution.features.names)
        return (*self.features.names, *coarse)


def column_of(wide: WideFrame, symbol: str) -> Vector:
    """(n,) one symbol; a Series of it takes six times as long."""
    values: Vector = wide.to_numpy()[:, wide.columns.get_loc(symbol)]
    return values
