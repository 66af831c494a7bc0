"""Backtests model-driven trading strategies, walk-forward, and tells the truth about them."""
