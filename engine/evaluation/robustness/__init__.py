"""Robustness: sensitivity to costs, delay and thresholds, and variance between seeds."""
