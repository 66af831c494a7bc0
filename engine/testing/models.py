"""The contract of models."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models import Forecaster, TrainingSpec, WindowDataset
from engine.models.contract import FORECAST_PARTS, check_forecast
from engine.testing.rules import check_part, require

if TYPE_CHECKING:
    from engine.models import Forecast

_KNOWN_TEST_ROWS = 40
"""Test rows before the bar from which everything is replaced."""


def make_dataset(
    seed: int = 0, *, edge: float = 0.6, rows: int = 460, noise: float = 0.01
) -> WindowDataset:
    """A window of three series of one column each, with something to learn.

    The return of the next bar is `noise` x (`edge` x_1 + sqrt(1 - `edge`^2) e), x_1 the first
    series and e standard normal.

    Args:
        seed: Of the random numbers.
        edge: Correlation of the first series and the return.
        rows: Bars; the last of them, from 372 on, are the test part.
        noise: Standard deviation of the return.
    """
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, 3)).astype(np.float32)
    target = noise * (edge * inputs[:, 0] + np.sqrt(1 - edge**2) * rng.normal(size=rows))
    trailing = np.roll(target, 1)
    first = 29
    return WindowDataset(
        inputs=inputs,
        target=target,
        trailing=trailing,
        groups=((0,), (1,), (2,)),
        train=np.arange(first, first + 281),
        validation=np.arange(first + 282, first + 342),
        test=np.arange(first + 343, rows),
    )


def check_model(
    model: Forecaster,
    *,
    training: TrainingSpec | None = None,
    dataset: WindowDataset | None = None,
    seed: int = 1,
) -> None:
    """Fits a model several times and compares.

    The rules: a frozen class with a kind of its own, whose JSON gives an equal part; one finite
    return a row and horizon; the same bytes from the same seed; no change of a row's forecast by
    later bars; no look at the targets of test rows; an untouched dataset; for a model that says it
    is not stochastic, the same bytes from every seed; for one that says it is `multi_output`, one
    forecast a horizon.

    Args:
        model: The model.
        training: How it is trained; few epochs are enough.
        dataset: What it is fitted on; `make_dataset()` unless its features need another.
        seed: Of the fits.

    Raises:
        ContractError: The first rule that is broken.
    """
    check_part(model, (Forecaster,))
    settings = training or TrainingSpec(epochs=3)
    window = dataset or make_dataset()
    before = _copies(window)
    first = model.fit_predict(window, settings, seed)
    check_forecast(model, window, first)
    _require_untouched(model, before, window)

    def forecast_again(rule: str, changed: WindowDataset, other_seed: int, known: int) -> None:
        again = model.fit_predict(changed, settings, other_seed)
        check_forecast(model, changed, again)
        same = all(
            _known_rows(first, part, known).tobytes() == _known_rows(again, part, known).tobytes()
            for part in FORECAST_PARTS
        )
        require(model.kind, rule, kept=same, found="other forecasts")

    tested = len(window.test)
    forecast_again("the same seed gives the same bytes", window, seed, tested)
    forecast_again(
        "later bars do not change the forecast of a row",
        _replace_later_bars(window),
        seed,
        _KNOWN_TEST_ROWS,
    )
    forecast_again("targets of test rows are not read", _hide_test_targets(window), seed, tested)
    if not model.stochastic:
        forecast_again(
            "a model that is not stochastic forecasts the same from every seed",
            window,
            seed + 1,
            tested,
        )
    if model.multi_output and dataset is None:
        joint = replace(
            window,
            horizons=(1, 3),
            target=np.column_stack([window.target, np.roll(window.target, -2)]),
        )
        check_forecast(model, joint, model.fit_predict(joint, settings, seed))


def _known_rows(forecast: Forecast, part: str, known: int) -> np.ndarray:
    values: np.ndarray = getattr(forecast, part)
    return values[:known] if part == "test" else values


def _replace_later_bars(window: WindowDataset) -> WindowDataset:
    """Other inputs, targets and returns behind a test row."""
    later = np.arange(len(window.target)) >= window.test[_KNOWN_TEST_ROWS]
    noise = np.random.default_rng(9).normal(size=window.inputs.shape).astype(np.float32)
    return replace(
        window,
        inputs=np.where(later[:, None], noise, window.inputs),
        target=np.where(later, 7.0, window.target),
        trailing=np.where(later, 7.0, window.trailing),
    )


def _hide_test_targets(window: WindowDataset) -> WindowDataset:
    target = window.target.copy()
    target[window.test] = np.nan
    return replace(window, target=target)


def _copies(window: WindowDataset) -> dict[str, Any]:
    arrays = {part.name: getattr(window, part.name) for part in fields(window)}
    return {name: a.copy() for name, a in arrays.items() if isinstance(a, np.ndarray)}


def _require_untouched(
    model: Forecaster, before: dict[str, np.ndarray], window: WindowDataset
) -> None:
    for name, array in before.items():
        require(
            model.kind,
            "fit_predict leaves the dataset as it is",
            kept=np.array_equal(array, getattr(window, name), equal_nan=True),
            found=f"another `{name}`",
        )
