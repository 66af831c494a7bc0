"""How much of a model's forecasts a simple rule repeats, on rows that it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from engine.core.types import Matrix, Vector

TREE_DEPTH = 3
MOMENTUM_BARS = (5, 10, 20, 60, 120)
VOLATILITY_BARS = 20


@dataclass(frozen=True, eq=False)
class RuleInputs:
    """The rows of one window at which a model forecast, as the simple rules see them.

    Attributes:
        train: Inputs of train rows: name of the rule -> (m, k).
        test: The same of the test rows.
        train_forecasts: (m,) of the model.
        test_forecasts: (n,) of the model.
    """

    train: Mapping[str, Matrix]
    test: Mapping[str, Matrix]
    train_forecasts: Vector
    test_forecasts: Vector


@dataclass(frozen=True)
class RuleFidelity:
    """How much of the forecasts' variation a rule repeats.

    Attributes:
        rule: What it reads.
        form: `linear` or `tree`, the better of the two by `r2`.
        r2: 1 - sum (forecast - rule)^2 / sum (forecast - mean of its train rows)^2, over the test
            rows of all windows; below 0 where the mean is closer.
    """

    rule: str
    form: str
    r2: float


def describe_bars(closes: pd.Series[float], stamps: pd.DatetimeIndex) -> dict[str, Matrix]:
    """What simple rules read at some bars, from the closes up to each.

    Args:
        closes: Of the forecast symbol, at all its bars.
        stamps: (n,) bars among them.

    Returns:
        Rule -> (n, k); 0 where the history is too short.
    """
    returns = closes.pct_change()
    rules = {
        "last return": returns.to_frame(),
        "volatility": returns.rolling(VOLATILITY_BARS).std().to_frame(),
    }
    for bars in MOMENTUM_BARS:
        rules[f"return over {bars} bars"] = closes.pct_change(bars).to_frame()
        rules[f"distance from the mean of {bars} bars"] = (
            closes / closes.rolling(bars).mean() - 1
        ).to_frame()
    described: dict[str, Matrix] = {
        name: np.nan_to_num(table.loc[stamps].to_numpy(dtype=np.float64))
        for name, table in rules.items()
    }
    moments = ((stamps.day_of_week, 7), (stamps.month, 13), (stamps.hour, 24))
    described["calendar"] = np.column_stack(
        [np.eye(count)[np.asarray(values)] for values, count in moments]
    )
    return described


def compare_with_rules(windows: Iterable[RuleInputs]) -> list[RuleFidelity]:
    """The fidelity of each rule, the closest first.

    In each window a rule is fitted to the model's forecasts of its train rows, as a linear
    function and as a tree of depth 3, and judged on the test rows.

    Args:
        windows: At least one, all with the same rules.
    """
    from sklearn.tree import DecisionTreeRegressor

    errors: dict[tuple[str, str], float] = {}
    total = 0.0
    for window in windows:
        target, actual = window.train_forecasts, window.test_forecasts
        total += float(((actual - target.mean()) ** 2).sum())
        for rule, train in window.train.items():
            test = window.test[rule]
            tree = DecisionTreeRegressor(
                max_depth=TREE_DEPTH, min_samples_leaf=max(2, len(target) // 50), random_state=0
            )
            fitted = {
                "linear": _fit_linear(train, target, test),
                "tree": tree.fit(train, target).predict(test),
            }
            for form, values in fitted.items():
                error = float(((actual - values) ** 2).sum())
                errors[rule, form] = errors.get((rule, form), 0.0) + error
    best: dict[str, RuleFidelity] = {}
    for (rule, form), error in errors.items():
        r2 = 1.0 - error / total if total > 0 else 0.0
        if rule not in best or r2 > best[rule].r2:
            best[rule] = RuleFidelity(rule, form, r2)
    return sorted(best.values(), key=lambda each: (-each.r2, each.rule))


def _fit_linear(train: Matrix, target: Vector, test: Matrix) -> Vector:
    """Least squares with a small penalty, so that indicators may add up to 1."""
    centre, scale = train.mean(axis=0), train.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    scaled = (train - centre) / scale
    penalty = 1e-3 * len(train) * np.eye(train.shape[1])
    weights = np.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ (target - target.mean()))
    fitted: Vector = (test - centre) / scale @ weights + target.mean()
    return fitted
