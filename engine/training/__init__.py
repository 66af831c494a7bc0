"""Training: fits of every window and seed, the store of fits, and out-of-sample forecasts."""
