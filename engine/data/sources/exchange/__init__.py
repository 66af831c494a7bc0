"""Bars and funding rates of the exchanges that ccxt knows; public data only."""

from engine.data.sources.exchange._source import ExchangeBarSource
from engine.data.sources.exchange._timeframes import ccxt_timeframe
from engine.data.sources.exchange._volume_units import CONTRACT_VOLUMES
from engine.data.sources.exchange.funding import fetch_funding_rates

__all__ = ["CONTRACT_VOLUMES", "ExchangeBarSource", "ccxt_timeframe", "fetch_funding_rates"]
