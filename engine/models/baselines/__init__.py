"""Cheap forecasters: ridge, gradient boosting, and the naive ones."""
