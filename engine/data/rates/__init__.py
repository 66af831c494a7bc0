"""Risk-free rate and yield on cash: configured, read from files, and known at each bar."""

from engine.data.rates.by_bar import RatesByBar, rate_per_bar
from engine.data.rates.config import RateSeriesSpec, RatesSpec, drop_rate_files
from engine.data.rates.history import InterestRates, RateHistory, load_rates
from engine.data.rates.rate_file import RateFile

__all__ = [
    "InterestRates",
    "RateFile",
    "RateHistory",
    "RateSeriesSpec",
    "RatesByBar",
    "RatesSpec",
    "drop_rate_files",
    "load_rates",
    "rate_per_bar",
]
