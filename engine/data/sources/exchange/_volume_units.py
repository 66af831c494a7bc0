"""What the volumes of candles count: coins, contracts, or the quote currency.

ccxt hands on what the exchange sends. Its class of an exchange knows the size of a contract and
multiplies tickers or trades by it, never candles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from engine.data.sources.exchange._candle_requests import CandleRow

VolumeUnit = Literal["contracts", "quote", "unknown"]


@dataclass(frozen=True)
class VolumeRule:
    """What the candles of an exchange's contracts count, and how that is known.

    Attributes:
        unit: What they count.
        reason: Why, from ccxt 4.5.90 or the exchange's documentation.
    """

    unit: VolumeUnit
    reason: str


CONTRACT_VOLUMES: dict[str, VolumeRule] = {
    "kucoin": VolumeRule("contracts", "the kline of futures counts lots"),
    "kucoinfutures": VolumeRule("contracts", "the kline of futures counts lots"),
    "gate": VolumeRule("contracts", "`v` of a futures candlestick is a number of contracts"),
    "gateeu": VolumeRule("contracts", "`v` of a futures candlestick is a number of contracts"),
    "mexc": VolumeRule(
        "contracts", "ccxt's example: vol 1740 and amount 60793.6 at 3492, contracts of 0.01"
    ),
    "xt": VolumeRule(
        "contracts", "ccxt's example: a 312931 and v 702461.6 at 22450, contracts of 0.0001"
    ),
    "poloniex": VolumeRule(
        "contracts", "ccxt's example: 44 and 3707.5 of quote at 84254, contracts of 0.001"
    ),
    "btse": VolumeRule("quote", "ccxt's example names the volume of a row as one in quote"),
    "hibachi": VolumeRule("quote", "ccxt reads `volumeNotional`"),
    "bitrue": VolumeRule("unknown", "ccxt reads `vol`, which neither side defines"),
    "bydfi": VolumeRule("unknown", "ccxt reads `v`, which neither side defines"),
    "deepcoin": VolumeRule("unknown", "ccxt reads the sixth column, which neither side defines"),
    "delta": VolumeRule("unknown", "ccxt reads `volume`, a whole number in its example"),
    "digifinex": VolumeRule("unknown", "ccxt reads the sixth column, which neither side defines"),
    "lbank": VolumeRule("unknown", "ccxt reads the sixth column, which neither side defines"),
    "toobit": VolumeRule("unknown", "ccxt reads the sixth column, which neither side defines"),
    "weex": VolumeRule("unknown", "ccxt reads the sixth column, which neither side defines"),
}
"""Exchanges whose contracts have volumes in another unit than coins, or in one that is not known.

Volumes in coins, by ccxt's own code: Binance (column 5, 7 of inverse contracts), Bybit and Bitget
(5, 6 of inverse ones), OKX and BloFin (6), HTX (`amount`), GRVT (`volume_b`) and dYdX
(`baseTokenVolume`).
"""


def convert_volumes(
    exchange: str, market: dict[str, Any], rows: list[CandleRow]
) -> tuple[list[CandleRow], str]:
    """Candles with volumes in coins where that is certain, and what a user must know about them.

    Args:
        exchange: ccxt's id of the exchange.
        market: ccxt's description of the market.
        rows: Candles as ccxt hands them on.

    Returns:
        The candles, and a sentence about their volumes, which is empty where they count coins.
    """
    rule = CONTRACT_VOLUMES.get(exchange)
    if rule is None or not market.get("contract") or not rows:
        return rows, ""
    base, quote, size = market.get("base"), market.get("quote"), market.get("contractSize")
    if rule.unit == "quote":
        return rows, f"volumes are amounts of {quote}, not of {base}"
    of_base = size is not None and size > 0 and bool(market.get("linear"))
    if of_base and size == 1:
        return rows, ""
    if rule.unit == "contracts" and size is not None and of_base:
        scaled = [[*row[:5], None if row[5] is None else row[5] * size] for row in rows]
        return scaled, f"volumes were contracts of {size:g} {base} and are converted to {base}"
    contract = f"contracts of {size:g} {base if of_base else quote}" if size else "contracts"
    if rule.unit == "contracts":
        return rows, f"volumes count {contract}, not {base}"
    return rows, f"it is not known whether volumes count {base} or {contract}"
