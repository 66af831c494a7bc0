"""The scores of the paper for forecasts of prices and of their direction."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Vector

ERROR_SCORES = ("mae", "rmse", "r2")
DIRECTION_SCORES = ("accuracy_pct", "auc", "gm", "sensitivity", "specificity")
SCORES = (*ERROR_SCORES, *DIRECTION_SCORES)
PRINTED_DIGITS = {**dict.fromkeys(SCORES, 3), "accuracy_pct": 2}
HIGHER_IS_BETTER = {name: name not in {"mae", "rmse"} for name in SCORES}


def compute_scores(
    previous: Vector, actual: Vector, difference: Vector
) -> dict[str, float | None]:
    """All eight scores of the forecast tables.

    Args:
        previous: The actual price of the day before each test day, shape (n,).
        actual: The price of each test day.
        difference: The predicted difference of each test day.
    """
    return price_error_scores(actual, previous + difference) | direction_scores(
        # The first day of a part has no movement, as in the table of movements.
        actual[1:] > previous[1:],
        previous[1:] + difference[1:] > previous[1:],
    )


def price_error_scores(actual: Vector, predicted: Vector) -> dict[str, float | None]:
    """Mean absolute error, root mean squared error and R2 = 1 - SSE / SST of prices.

    R2 is None for constant prices.
    """
    error = actual - predicted
    total = float(np.sum((actual - actual.mean()) ** 2))
    return {
        "mae": float(np.mean(np.abs(error))),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "r2": 1 - float(np.sum(error**2)) / total if total > 0 else None,
    }


def direction_scores(
    up: npt.NDArray[np.bool_], predicted_up: npt.NDArray[np.bool_]
) -> dict[str, float | None]:
    """Scores of the direction; a day that is not up, a tie too, is down.

    With TP and TN the days correctly forecast up and down: sensitivity = TP / ups,
    specificity = TN / downs, AUC = (sensitivity + specificity) / 2, which is the area under the
    ROC curve of a binary classifier, and GM = sqrt(TP TN), a geometric mean of counts. A score
    without a day to count is None.
    """
    ups, days = int(up.sum()), len(up)
    true_up = int(np.sum(up & predicted_up))
    true_down = int(np.sum(~up & ~predicted_up))
    sensitivity = true_up / ups if ups else None
    specificity = true_down / (days - ups) if days - ups else None
    return {
        "accuracy_pct": 100 * (true_up + true_down) / days if days else None,
        "auc": None
        if sensitivity is None or specificity is None
        else (sensitivity + specificity) / 2,
        "gm": sqrt(true_up * true_down),
        "sensitivity": sensitivity,
        "specificity": specificity,
    }
