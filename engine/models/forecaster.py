"""The one contract every forecaster keeps, and what goes in and out of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from engine.types import Spec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.models.training_spec import Training
    from engine.types import Rows, Vector

Backend = Literal["tensorflow", "jax"]


@dataclass(frozen=True)
class Problem:
    """One window's arrays; every row is a bar, and a row's sequence ends at that row.

    Attributes:
        inputs: (n, k) float32 scaled features, no NaN in any row that a sequence touches.
        target: (n,) float64 return over the next `horizon` bars; finite on train and validation
            rows, never read elsewhere.
        trailing: (n,) float64 return over the last `horizon` bars, known at the row's close.
        groups: Columns of each series, one tuple a symbol.
        train: Rows to fit on.
        validation: Rows that decide when to stop or which penalty to take.
        test: Rows to forecast out of sample.
    """

    inputs: npt.NDArray[np.float32]
    target: Vector
    trailing: Vector
    groups: tuple[tuple[int, ...], ...]
    train: Rows
    validation: Rows
    test: Rows


@dataclass(frozen=True)
class History:
    """How the training went; losses on the scaled target, one an epoch, empty without epochs.

    Attributes:
        train_loss: Mean over the epoch's batches.
        validation_loss: After the epoch.
        best_epoch: From 0; the epoch whose weights were kept.
        attempts: 2 where the first seed gave no usable forecaster.
    """

    train_loss: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    best_epoch: int = 0
    attempts: int = 1


@dataclass(frozen=True, eq=False)
class Forecast:
    """Predicted simple returns over `horizon` bars, in the order of the problem's rows.

    Attributes:
        train: (n_train,) in-sample predictions, for thresholds.
        test: (n_test,) out-of-sample predictions.
        history: How the training went.
        weights: What was fitted, in the forecaster's own order; empty where nothing is.
    """

    train: Vector
    test: Vector
    history: History = History()
    weights: tuple[npt.NDArray[Any], ...] = ()


class Forecaster(Spec, ABC):
    """A forecaster: its configuration, and the fit and forecast of one window.

    Attributes:
        lookback: Bars in a sequence; a row's sequence is that row and the `lookback` - 1 before.
    """

    costly: ClassVar[bool] = False
    """Whether a fit is worth a worker process and a place in the store."""

    random: ClassVar[bool] = False
    """Whether a fit depends on its seed."""

    lookback: int = Field(default=1, ge=1, le=500)

    @abstractmethod
    def forecast(self, problem: Problem, training: Training, seed: int) -> Forecast:
        """Fits on the train rows and forecasts the train and test rows.

        Args:
            problem: One window's arrays.
            training: How networks are trained.
            seed: Decides every random draw.

        Raises:
            RefitError: The fit gave no usable forecaster.
        """
