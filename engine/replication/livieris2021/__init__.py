"""Livieris et al. (2021): CNN-LSTM forecasts of Bitcoin, Ether and Ripple.

Livieris, Kiriakidou, Stavroyiannis & Pintelas, "An Advanced CNN-LSTM Model for Cryptocurrency
Forecasting", Electronics 10(3) 287. The networks, their training, the store and the worker
processes are those of the engine; the protocol of the paper is in `protocol`.
"""

from engine.replication.livieris2021.protocol import PaperProtocol
from engine.replication.livieris2021.render import render_replication
from engine.replication.livieris2021.result import Livieris2021Result
from engine.replication.livieris2021.run import replicate

__all__ = ["Livieris2021Result", "PaperProtocol", "render_replication", "replicate"]
