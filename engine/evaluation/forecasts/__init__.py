"""Forecast scores, and tests of forecasts against what came."""
