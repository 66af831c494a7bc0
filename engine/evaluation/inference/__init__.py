"""Confidence intervals and hypothesis tests: bootstrap, HAC, SPA, deflated Sharpe ratio."""
