"""Fetches bars from sources into the store, symbol by symbol."""
