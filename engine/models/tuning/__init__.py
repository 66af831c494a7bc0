"""Hyperparameter search on train rows alone."""
