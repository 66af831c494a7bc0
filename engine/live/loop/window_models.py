"""The models that forecast the bars of one window, and what its decisions are measured by."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.core.part_origin import is_built_in
from engine.live.loop.panel_state import PanelRecentRows
from engine.models.shared_prediction import PredictionRequest, predict_requests
from engine.models.training.losses import quantile_levels
from engine.signals.decision_levels import compute_decision_levels
from engine.training.out_of_sample import (
    average_by_window,
    mean_of_available,
    validation_residuals,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Vector
    from engine.live.loop.recent_rows import RecentRows
    from engine.models.dataset import Prediction
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.prepared_data import PreparedData
    from engine.signals.decision_levels import DecisionLevels, DecisionSpec
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.training.panel_rows import Absences
    from engine.training.task import FitTask


@dataclass(frozen=True, eq=False)
class RowForecast:
    """Forecasts of the traded horizon at one close, mean over the seeds.

    Attributes:
        predicted: Symbol -> simple return; NaN where the window has no fit.
        quantiles: Level -> symbol -> quantile of the return, where the model has them.
    """

    predicted: dict[str, float]
    quantiles: dict[float, dict[str, float]]


@dataclass(frozen=True, eq=False)
class WindowModels:
    """The models of one window.

    Attributes:
        members: Symbol -> its models, one a seed, each with the column of the traded horizon;
            none of a symbol whose fits were left out.
        levels: Thresholds, and what the sizing needs.
        quantiles: Levels of the loss; only networks have quantiles at these.
    """

    members: dict[str, list[tuple[FittedModel, int]]]
    levels: DecisionLevels
    quantiles: tuple[float, ...]

    @classmethod
    def of_window(
        cls,
        prepared: PreparedData,
        window: WalkForwardWindow,
        tasks: Sequence[FitTask],
        outcomes: Sequence[FittedModel | TrainingError],
        spec: DecisionSpec,
    ) -> WindowModels:
        """The models of a window.

        Args:
            prepared: Bars and features.
            window: The window.
            tasks: The strategy's fits of it.
            outcomes: For each a model, or the error of a fit that was left out.
            spec: How forecasts become weights.
        """
        history = prepared.feature_history
        horizon = history.target.horizon
        members: dict[str, list[tuple[FittedModel, int]]] = {s: [] for s in prepared.targets}
        levels: tuple[float, ...] = ()
        fitted = []
        for task, outcome in zip(tasks, outcomes, strict=True):
            if isinstance(outcome, TrainingError) or horizon not in task.training_set.horizons:
                continue
            fitted.append((task, outcome))
            column = task.training_set.horizons.index(horizon)
            members[task.symbol].append((outcome, column))
            levels = quantile_levels(task.training.loss)
        train = average_by_window(fitted, horizon, "train")
        residuals = validation_residuals(history, [window], fitted, horizon)
        return cls(
            members,
            compute_decision_levels(
                spec, window.index, train.get(window.index, {}), residuals.get(window.index, {})
            ),
            levels,
        )

    def prepare_next(self, rows: RecentRows | PanelRecentRows) -> None:
        """Lets networks compute what the next forecast shares with one of another next bar.

        A recurrent layer keeps the steps of the last single row, and begins the next row where it
        differs: at the bar that comes. Fits that are shared predict their symbols together, and
        are left out, as are those of a panel, of which it is not known who has the next bar.

        Args:
            rows: Up to the newest bar.
        """
        if isinstance(rows, PanelRecentRows):
            return
        following = rows.repeat_newest()
        fits = Counter(id(model.forecaster) for own in self.members.values() for model, _ in own)
        for symbol, own in self.members.items():
            for model, _ in own:
                kind = model.forecaster.model
                shared = fits[id(model.forecaster)] > 1 or model.input_transform.symbols
                if kind.costly and is_built_in(type(kind)) and not shared:
                    model.predict(*following.select(model, symbol))

    def predict(
        self, rows: RecentRows | PanelRecentRows, absences: Absences | None = None
    ) -> RowForecast:
        """The forecasts at the newest close.

        Args:
            rows: The newest rows.
            absences: Of the newest bar of a panel, in the order of `members`.

        Raises:
            UsageError: There are too few bars before it.
            DataError: A feature is not finite.
        """
        absent = [False] * len(self.members) if absences is None else absences.absent[0].tolist()
        asked = [
            (symbol, *member)
            for (symbol, own), is_absent in zip(self.members.items(), absent, strict=True)
            for member in ([] if is_absent else own)
        ]
        requests = [
            PredictionRequest(model, *rows.select(model, symbol)) for symbol, model, _ in asked
        ]
        found: dict[str, list[Vector]] = {symbol: [] for symbol in self.members}
        for (symbol, _, column), request, prediction in zip(
            asked, requests, predict_requests(requests), strict=True
        ):
            found[symbol].append(_select_column(request.model, prediction, column))
        predicted: dict[str, float] = {}
        quantiles: dict[float, dict[str, float]] = defaultdict(dict)
        for symbol, forecasts in found.items():
            mean = _mean_of(forecasts)
            predicted[symbol] = mean[0]
            for level, value in zip(self.quantiles, mean[1:], strict=False):
                quantiles[level][symbol] = value
        for by_symbol in quantiles.values():
            by_symbol.update({s: float("nan") for s in predicted if s not in by_symbol})
        return RowForecast(predicted, dict(quantiles))


def _mean_of(forecasts: list[Vector]) -> list[float]:
    """The mean of what is there of each column; models with different losses have other widths."""
    if len(forecasts) == 1:
        return [value if isfinite(value) else nan for value in forecasts[0].tolist()]
    if len({len(each) for each in forecasts}) > 1:
        width = max(map(len, forecasts))
        forecasts = [np.append(each, np.full(width - len(each), np.nan)) for each in forecasts]
    found: list[float] = mean_of_available(forecasts or [np.array([np.nan])]).tolist()
    return found


def _select_column(model: FittedModel, prediction: Prediction, column: int) -> Vector:
    """(1 + q,) the forecast of the traded horizon at the newest close, and its q quantiles."""
    value = prediction.returns.reshape(-1)[column]
    if prediction.quantiles is None:
        return np.array([value])
    horizons = len(model.input_transform.horizons)
    return np.append(value, prediction.quantiles.reshape(horizons, -1)[column])
