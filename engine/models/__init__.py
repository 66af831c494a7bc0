"""Forecasters: each one frozen choice in the strategy, all behind one contract."""
