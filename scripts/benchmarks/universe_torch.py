"""Program: samples a second of a pooled LSTM in a plain, eager PyTorch loop."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from universe_panel import BATCH_SIZE, CLIP_NORM, FEATURES, LOOKBACK, UNITS, make_panel


class PooledLstm(nn.Module):
    """One LSTM for all symbols."""

    def __init__(self) -> None:
        super().__init__()
        self.recur = nn.LSTM(FEATURES, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 1)

    def forward(self, sequences: Tensor) -> Tensor:
        """(batch, lookback, features) to (batch, 1)."""
        _, (last, _) = self.recur(sequences)
        return self.head(last[0])


def main() -> None:
    """Trains on materialised sequences; an epoch before those that are timed."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--epochs", type=int, default=4)
    epochs = arguments.parse_args().epochs
    inputs, target, rows, _ = make_panel()
    sequences = inputs[rows[:, None] + np.arange(1 - LOOKBACK, 1)]
    scaled = (target[rows] / target.std())[:, None].astype(np.float32)
    data = TensorDataset(torch.from_numpy(sequences), torch.from_numpy(scaled))
    batches = DataLoader(data, batch_size=BATCH_SIZE, shuffle=True)
    network, mse = PooledLstm(), nn.MSELoss()
    optimizer = torch.optim.Adam(network.parameters())
    began = time.perf_counter()
    for epoch in range(1 + epochs):
        if epoch == 1:
            began = time.perf_counter()
        for batch, truth in batches:
            optimizer.zero_grad()
            mse(network(batch), truth).backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
            optimizer.step()
    rate = epochs * len(rows) / (time.perf_counter() - began)
    sys.stdout.write(json.dumps({"samples_per_s": rate}) + "\n")


if __name__ == "__main__":
    main()
