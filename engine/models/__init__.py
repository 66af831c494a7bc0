"""Forecasters: each one frozen choice in the strategy, all behind one contract.

A new one is one file here and one member of `Model`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.models.always_up import AlwaysUp
from engine.models.attention_lstm import AttentionLstm
from engine.models.cnn_lstm import CnnLstm
from engine.models.configurations import Configuration
from engine.models.drift import Drift
from engine.models.ensemble import Ensemble
from engine.models.forecaster import Backend, Forecast, Forecaster, History, Problem
from engine.models.gradient_boosting import GradientBoosting
from engine.models.gru import Gru
from engine.models.losses import Directional, Huber, Mae, Mse, Quantile, Sharpe
from engine.models.lstm import Lstm
from engine.models.micdl import Micdl
from engine.models.mlp import Mlp
from engine.models.optimizers import Adam, AdamW, RmsProp
from engine.models.persistence import Persistence
from engine.models.ridge import Ridge
from engine.models.schedules import Constant, Cosine, Exponential, Plateau, Step
from engine.models.tcn import Tcn
from engine.models.training_spec import EarlyStopping, Training
from engine.models.transformer import Transformer
from engine.models.tune_spec import Tune
from engine.models.tuned import Tuned

Model = Annotated[
    Lstm
    | Gru
    | CnnLstm
    | Micdl
    | AttentionLstm
    | Transformer
    | Tcn
    | Mlp
    | GradientBoosting
    | Ridge
    | Persistence
    | Drift
    | AlwaysUp
    | Ensemble,
    Field(discriminator="kind"),
]

Ensemble.model_rebuild()  # its members are any `Model`, itself among them
Configuration.model_rebuild()
Tuned.model_rebuild()

__all__ = [
    "Adam",
    "AdamW",
    "AlwaysUp",
    "AttentionLstm",
    "Backend",
    "CnnLstm",
    "Constant",
    "Cosine",
    "Directional",
    "Drift",
    "EarlyStopping",
    "Ensemble",
    "Exponential",
    "Forecast",
    "Forecaster",
    "GradientBoosting",
    "Gru",
    "History",
    "Huber",
    "Lstm",
    "Mae",
    "Micdl",
    "Mlp",
    "Model",
    "Mse",
    "Persistence",
    "Plateau",
    "Problem",
    "Quantile",
    "Ridge",
    "RmsProp",
    "Sharpe",
    "Step",
    "Tcn",
    "Training",
    "Transformer",
    "Tune",
    "Tuned",
]
