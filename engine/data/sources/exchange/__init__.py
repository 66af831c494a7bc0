"""Bars and funding rates of the exchanges that ccxt knows; public data only."""

from engine.data.sources.exchange._source import ExchangeBarSource
from engine.data.sources.exchange.funding import fetch_funding_rates

__all__ = ["ExchangeBarSource", "fetch_funding_rates"]
