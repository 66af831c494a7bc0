"""Forecasters: each is a frozen configuration in the strategy, all keep one contract.

A new built-in forecaster is one module here and one of the `MODEL_KINDS`; one of a user's needs no
change here (`engine.core.open_kinds`).
"""

from __future__ import annotations

from engine.models.baselines.gradient_boosting import GradientBoosting
from engine.models.baselines.naive import AlwaysUp, Drift, Persistence
from engine.models.baselines.ridge import Ridge
from engine.models.dataset import CoarseInputs, ModelInputs, Prediction, TrainingSet
from engine.models.ensemble import Ensemble
from engine.models.forecaster import MODEL_KINDS, FittedForecaster, Forecaster, Model
from engine.models.networks.asset_attention import AssetAttention
from engine.models.networks.attention_lstm import AttentionLstm
from engine.models.networks.cnn_lstm import CnnLstm
from engine.models.networks.gru import Gru
from engine.models.networks.hierarchical import Hierarchical
from engine.models.networks.lstm import Lstm
from engine.models.networks.micdl import Micdl
from engine.models.networks.mlp import Mlp
from engine.models.networks.tcn import Tcn
from engine.models.networks.transformer import Transformer
from engine.models.training.config import Backend, EarlyStopping, TrainingSpec
from engine.models.training.losses import (
    DirectionalLoss,
    HuberLoss,
    MaeLoss,
    MseLoss,
    QuantileLoss,
    SharpeLoss,
)
from engine.models.training.optimizers import Adam, AdamW, RmsProp
from engine.models.training.schedules import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    PlateauSchedule,
    StepSchedule,
)
from engine.models.training_history import TrainingHistory
from engine.models.tuning.config import TuningSpec
from engine.models.tuning.tuned_forecaster import TunedForecaster

MODEL_KINDS.add(
    Lstm,
    Gru,
    CnnLstm,
    Micdl,
    AttentionLstm,
    Transformer,
    Tcn,
    Mlp,
    AssetAttention,
    Hierarchical,
    GradientBoosting,
    Ridge,
    Persistence,
    Drift,
    AlwaysUp,
    Ensemble,
)

__all__ = [
    "Adam",
    "AdamW",
    "AlwaysUp",
    "AssetAttention",
    "AttentionLstm",
    "Backend",
    "CnnLstm",
    "CoarseInputs",
    "ConstantSchedule",
    "CosineSchedule",
    "DirectionalLoss",
    "Drift",
    "EarlyStopping",
    "Ensemble",
    "ExponentialSchedule",
    "FittedForecaster",
    "Forecaster",
    "GradientBoosting",
    "Gru",
    "Hierarchical",
    "HuberLoss",
    "Lstm",
    "MaeLoss",
    "Micdl",
    "Mlp",
    "Model",
    "ModelInputs",
    "MseLoss",
    "Persistence",
    "PlateauSchedule",
    "Prediction",
    "QuantileLoss",
    "Ridge",
    "RmsProp",
    "SharpeLoss",
    "StepSchedule",
    "Tcn",
    "TrainingHistory",
    "TrainingSet",
    "TrainingSpec",
    "Transformer",
    "TunedForecaster",
    "TuningSpec",
]
