"""Signals: forecasts to target weights, and the benchmark rules."""
