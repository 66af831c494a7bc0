"""Which prices of the bars a run needs, and whether they can be traded at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import UsageError
from engine.core.name_lists import join_names
from engine.core.types import PRICE_COLUMNS
from engine.data import MAX_PRICE, MIN_PRICE, is_close_only
from engine.data.next_bar import unfit_price_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from engine.data import Market

_MAX_NAMED_SYMBOLS = 10


def check_prices(
    market: Market, targets: Sequence[str], fill_price: Literal["open", "close"]
) -> None:
    """Whether every price is one at which an order can be filled, and there are the fills' own.

    Open, high and low may be NaN in every row of a symbol whose source has closes alone.

    Args:
        market: The bars.
        targets: Symbols that are traded.
        fill_price: Price of a bar at which orders are filled.

    Raises:
        InvalidBarsError: A price is not a number between `MIN_PRICE` and `MAX_PRICE`.
        UsageError: Fills are at opens, and a target has closes alone.
    """
    tables = market.bars_by_symbol if market.lacks_values else {}
    close_only = [name for name, bars in tables.items() if is_close_only(bars)]
    _check_scale(market, close_only)
    lacking = [symbol for symbol in targets if symbol in close_only]
    if fill_price == "open" and lacking:
        raise UsageError(
            "orders cannot be filled at opens that the bars do not have",
            expected="`execution: {price: close, delay: 1}`: what is decided at a close is filled "
            "at the close of the next bar",
            found=f"price: open; {join_names(lacking, _MAX_NAMED_SYMBOLS)} with closes alone",
            where="execution.price",
            fix="fill at the close by --set execution.price=close, or choose a dataset with opens "
            "by --data",
        )


def _check_scale(market: Market, close_only: Sequence[str]) -> None:
    prices = market.bars[list(PRICE_COLUMNS)].to_numpy()
    fit = (prices >= MIN_PRICE) & (prices <= MAX_PRICE)
    fit[market.bars["symbol"].isin(close_only).to_numpy()] |= [
        name != "close" for name in PRICE_COLUMNS
    ]
    absent = np.isnan(prices).all(axis=1)  # a panel has rows without a bar
    unfit = ~(fit.all(axis=1) | absent)
    if unfit.any():
        row = int(unfit.argmax())
        first = market.bars.iloc[row]
        raise unfit_price_error(
            int(unfit.sum()),
            f"{first['symbol']} at {first['timestamp']}",
            dict(zip(PRICE_COLUMNS, prices[row], strict=True)),
        )
