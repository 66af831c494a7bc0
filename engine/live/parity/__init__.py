"""The bars of a backtest, traded again by the live path and compared to the last bit."""
