"""Where bars come from: Yahoo, exchanges through ccxt, files, and bars shipped with a package."""

from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.client_settings import ClientSettings

__all__ = ["BarRequest", "BarSource", "ClientSettings"]
