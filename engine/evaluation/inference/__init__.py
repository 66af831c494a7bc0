"""Statistical inference: bootstrap, HAC, SPA, deflated Sharpe ratio, overfitting, tests."""
