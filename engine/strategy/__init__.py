"""The strategy: one YAML file, composed of each stage's own configuration."""

from engine.strategy.benchmarks import BENCHMARK_KINDS, Benchmark, include_holding
from engine.strategy.compute import Compute
from engine.strategy.config import Strategy, load_strategy

__all__ = [
    "BENCHMARK_KINDS",
    "Benchmark",
    "Compute",
    "Strategy",
    "include_holding",
    "load_strategy",
]
