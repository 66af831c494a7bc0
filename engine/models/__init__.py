"""Forecasters: each one frozen choice in the strategy, all behind one contract.

A new one is one file here and one member of `Model`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.models.cnn_lstm import CnnLstm
from engine.models.forecaster import Backend, Forecast, Forecaster, History, Problem
from engine.models.lstm import Lstm
from engine.models.micdl import Micdl
from engine.models.persistence import Persistence
from engine.models.ridge import Ridge
from engine.models.training_spec import EarlyStopping, Plateau, Training

Model = Annotated[Lstm | CnnLstm | Micdl | Ridge | Persistence, Field(discriminator="kind")]

__all__ = [
    "Backend",
    "CnnLstm",
    "EarlyStopping",
    "Forecast",
    "Forecaster",
    "History",
    "Lstm",
    "Micdl",
    "Model",
    "Persistence",
    "Plateau",
    "Problem",
    "Ridge",
    "Training",
]
