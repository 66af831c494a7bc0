"""Forecasters that train in seconds: ridge, gradient boosting and the naive forecasts."""
