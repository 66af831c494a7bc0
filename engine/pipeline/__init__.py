"""The stages of a run as functions, shared by the backtest and the leakage test."""
