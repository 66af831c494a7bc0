"""Bars of Yahoo Finance, through yfinance."""

from engine.data.sources.yahoo._source import YahooBarSource

__all__ = ["YahooBarSource"]
