"""The walk-forward windows of a run in its manifest, and how each fit went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.runs.documents.base import DocumentPart


class FitRecord(DocumentPart):
    """How one fit went.

    Attributes:
        symbol: What it forecasts.
        seed: Number of its seed.
        horizons: Bars ahead that it forecasts, where that is not the traded horizon alone.
        key: Its key in the store of fits; None where it is not stored.
        failed: Why it failed and was left out; None for a fit that was used.
        attempts: 2 where the first seed gave no usable forecaster.
        trials: Configurations tried on the train rows before one was chosen.
        chosen: What was chosen: dotted path of the strategy -> value; None without tuning.
        warm: Whether it started from the weights of the window before; None where none was to.
        epochs: Epochs trained; 0 for a model without.
        best_epoch: The epoch whose weights were kept, counted from 0.
        train_loss: One value an epoch.
        validation_loss: One value an epoch.
        members: Of an ensemble, the same of each member.
    """

    symbol: str | None = None
    seed: int | None = None
    horizons: tuple[int, ...] = ()
    key: str | None = None
    failed: str | None = None
    attempts: int = 1
    trials: int = 0
    chosen: Mapping[str, Any] | None = None
    warm: bool | None = None
    epochs: int = 0
    best_epoch: int | None = None
    train_loss: tuple[float | None, ...] = ()
    validation_loss: tuple[float | None, ...] = ()
    members: tuple[FitRecord, ...] = ()


class WindowRecord(DocumentPart):
    """One walk-forward window.

    Attributes:
        index: Its number, from 0.
        train: First and last bar of the train part, ISO 8601.
        validation: The same of the validation part.
        test: The same of the test part.
        train_bars: Bars of the train part.
        validation_bars: Bars of the validation part.
        test_bars: Bars of the test part.
        threshold_enter_bps: Predicted return from which a position is entered; None where there
            is no forecast.
        threshold_exit_bps: Predicted return below which it is left.
        fits: How each fit of the strategy went.
    """

    index: int
    train: tuple[str, str]
    validation: tuple[str, str]
    test: tuple[str, str]
    train_bars: int | None = None
    validation_bars: int | None = None
    test_bars: int | None = None
    threshold_enter_bps: float | None = None
    threshold_exit_bps: float | None = None
    fits: tuple[FitRecord, ...] = ()
