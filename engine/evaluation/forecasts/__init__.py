"""Forecast scores, calibration and tests of forecasts against outcomes."""
