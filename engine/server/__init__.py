"""The server of `backtest serve`: paper accounts and runs, read-only."""

from engine.server.access import LOCAL_ADDRESS, AccessToken, AllowedHosts
from engine.server.application import Application, ServedFolders
from engine.server.listener import Listener

__all__ = [
    "LOCAL_ADDRESS",
    "AccessToken",
    "AllowedHosts",
    "Application",
    "Listener",
    "ServedFolders",
]
