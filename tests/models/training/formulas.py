"""Reference implementations of the losses, row by row in plain Python."""

from __future__ import annotations

from math import sqrt, tanh


def mse(rows, **_):
    return sum((row.predicted[0] - row.target) ** 2 for row in rows) / len(rows)


def mae(rows, **_):
    return sum(abs(row.predicted[0] - row.target) for row in rows) / len(rows)


def huber(rows, delta, **_):
    total = 0.0
    for row in rows:
        error = abs(row.predicted[0] - row.target)
        total += error**2 / 2 if error <= delta else delta * (error - delta / 2)
    return total / len(rows)


def directional(rows, weight, sharpness, **_):
    total = 0.0
    for row in rows:
        side = tanh(sharpness * row.raw_forecast)
        charge = abs(row.raw_return) - side * row.raw_return
        total += (row.predicted[0] - row.target) ** 2 + weight * charge
    return total / len(rows)


def sharpe(rows, cost_bps, sharpness, deviation):
    net = []
    held = tanh(sharpness * rows[0].raw_forecast)
    for row in rows:
        position = tanh(sharpness * row.raw_forecast)
        paid = abs(position - held) * cost_bps / 10_000 / deviation
        net.append(position * row.raw_return - paid)
        held = position
    mean = sum(net) / len(net)
    variance = sum((value - mean) ** 2 for value in net) / len(net)
    return -mean / sqrt(variance + 0.01**2)


def quantile(rows, levels, **_):
    total = 0.0
    for row in rows:
        for level, predicted in zip(levels, row.predicted, strict=True):
            short = row.target - predicted
            total += level * short if short >= 0 else (level - 1) * short
    return total / len(rows) / len(levels)
