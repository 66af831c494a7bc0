"""How much each bar of the lookback, or each symbol, is attended to; and what that is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.models.networks.asset_attention import AssetAttention
from engine.models.networks.attention_lstm import AttentionLstm
from engine.models.networks.transformer import Transformer

if TYPE_CHECKING:
    from engine.core.types import Matrix
    from engine.interpretation.fitted_rows import ExplainedFit
    from engine.interpretation.sequences import Sequences


def attention_over_steps(fit: ExplainedFit, rows: Sequences) -> Matrix | None:
    """(n, lookback) how much the forecast of each row attends to each bar, oldest first.

    A row sums to 1. Of `attention_lstm` it is the attention of its one layer. Of `transformer` it
    is the rollout of its blocks: the product over the blocks of (A + I) / 2, with A the mean over
    the heads, in the row of the newest bar, which alone is passed on.

    Returns:
        None where the model has no attention over the bars, or Keras alone computes it.

    Source: Abnar & Zuidema (2020), Quantifying Attention Flow in Transformers, ACL.
    """
    forecaster = fit.model.forecaster
    model = forecaster.model
    if not isinstance(model, AttentionLstm | Transformer) or forecaster.state["program"] is None:
        return None
    inputs, ends = rows.to_inputs()
    if isinstance(model, AttentionLstm):
        return model.attention_weights(forecaster, inputs, ends)
    rollout = np.broadcast_to(np.eye(model.lookback), (len(rows), model.lookback, model.lookback))
    for weights in model.attention_weights(forecaster, inputs, ends):
        mean = weights.astype(np.float64).mean(axis=1)
        rollout = (mean + np.eye(model.lookback)) / 2 @ rollout
    newest: Matrix = rollout[:, -1]
    return newest


def attention_over_symbols(fit: ExplainedFit, rows: Sequences) -> Matrix | None:
    """(n, symbols) how much the forecast of the fit's symbol attends to each symbol.

    The mean over the heads; a row sums to 1. None where the model has none.
    """
    model = fit.model.forecaster.model
    if not isinstance(model, AssetAttention) or fit.model.forecaster.state["program"] is None:
        return None
    inputs, ends = rows.to_inputs()
    weights = model.attention_weights(fit.model.forecaster, inputs, ends)
    place = fit.model.input_transform.symbols.index(fit.symbol)
    own: Matrix = weights[:, :, place].astype(np.float64).mean(axis=1)
    return own
