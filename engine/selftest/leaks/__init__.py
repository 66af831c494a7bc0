"""A catalogue of leaks, each planted by the replacement of one function of the engine."""

from engine.selftest.leaks.catalogue import CATALOGUE, select_leaks
from engine.selftest.leaks.planting import Leak, Plant

__all__ = ["CATALOGUE", "Leak", "Plant", "select_leaks"]
