"""ccxt ships types that do not tell exchanges apart; they are left untyped, under this name."""

from typing import Any, TypeAlias

CcxtExchange: TypeAlias = Any
"""An exchange as ccxt or ccxt.pro wraps it."""
