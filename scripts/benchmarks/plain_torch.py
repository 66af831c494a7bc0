"""Program: a plain, eager PyTorch loop with a new network for every window."""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from workload import (
    BATCH_SIZE,
    CLIP_NORM,
    LEARNING_RATE,
    SERIES,
    SequenceArrays,
    Workload,
    make_parser,
    make_sequences,
)


class Branch(nn.Module):
    """Convolution, pooling, LSTM over one series."""

    def __init__(self) -> None:
        super().__init__()
        self.convolve = nn.Sequential(nn.Conv1d(1, 16, 2), nn.ReLU(), nn.AvgPool1d(2))
        self.recur = nn.LSTM(16, 50, batch_first=True)

    def forward(self, series: Tensor) -> Tensor:
        """(batch, lookback, 1) to (batch, 50)."""
        _, (last, _) = self.recur(self.convolve(series.transpose(1, 2)).transpose(1, 2))
        return last[0]


class Micdl(nn.Module):
    """MICDL of PyTorch layers."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(Branch() for _ in SERIES)
        self.head = nn.Sequential(
            nn.Linear(50 * len(SERIES), 256),
            nn.ReLU(),
            nn.BatchNorm1d(256),
            nn.Dropout(0.3),
            nn.Linear(256, 64),
            nn.ReLU(),
            nn.BatchNorm1d(64),
            nn.Dropout(0.2),
            nn.Linear(64, 1),
        )

    def forward(self, *series: Tensor) -> Tensor:
        """One (batch, lookback, 1) a series to (batch, 1)."""
        branches = [branch(x) for branch, x in zip(self.branches, series, strict=True)]
        return self.head(torch.cat(branches, dim=1))


def make_tensor_dataset(part: SequenceArrays) -> TensorDataset:
    """Inputs, then the target."""
    return TensorDataset(*map(torch.from_numpy, [*part.series, part.target]))


def fit_network(
    network: Micdl, train: SequenceArrays, validation: SequenceArrays, epochs: int
) -> float:
    """Trains a network; returns the last epoch's mean train loss."""
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, eps=1e-7)
    mse = nn.MSELoss()
    batches = DataLoader(make_tensor_dataset(train), batch_size=BATCH_SIZE, shuffle=True)
    *held_out, truth = make_tensor_dataset(validation).tensors
    total = 0.0
    for _ in range(epochs):
        network.train()
        total = 0.0
        for *series, target in batches:
            optimizer.zero_grad()
            loss = mse(network(*series), target)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
            optimizer.step()
            total += loss.item() * len(target)
        network.eval()
        with torch.no_grad():
            mse(network(*held_out), truth).item()
    return total / len(train.target)


def main() -> None:
    """Fits every window and tells how many forecasts came of it."""
    given = make_parser(__doc__).parse_args()
    work = Workload(given.windows, given.epochs)
    history = work.make_history()
    forecasts, losses = [], []
    for window in work.make_windows(history):
        train, validation, test = make_sequences(history, window)
        torch.manual_seed(window.index)
        network = Micdl()
        losses.append(fit_network(network, train, validation, work.epochs))
        with torch.no_grad():
            forecasts.append(network(*map(torch.from_numpy, test.series)).numpy()[:, 0])
    summary = {"forecasts": len(np.concatenate(forecasts)), "train_loss": float(np.mean(losses))}
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
