"""Simulation: target weights to fills, costs, returns and holdings."""
