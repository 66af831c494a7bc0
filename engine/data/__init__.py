"""Bars: where they come from, whether they can be trusted, how they are kept."""
