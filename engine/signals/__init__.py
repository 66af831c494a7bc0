"""Predicted return to target weight, and the rules a model has to beat."""
