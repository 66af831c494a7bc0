"""Hyperparameter tuning on the train rows only."""
