"""Livieris et al. (2021): CNN-LSTM forecasts of Bitcoin, Ether and Ripple.

Livieris, Kiriakidou, Stavroyiannis & Pintelas, "An Advanced CNN-LSTM Model for Cryptocurrency
Forecasting", Electronics 10(3) 287. The networks, their training, the store and the processes are
the engine's own; what is the paper's is in `protocol`.
"""

from engine.replication.livieris2021.outcome import Replication
from engine.replication.livieris2021.protocol import Protocol
from engine.replication.livieris2021.steps import replicate

__all__ = ["Protocol", "Replication", "replicate"]
