"""Repeats published results under their own protocol, next to the printed figures."""

from engine.replication.catalogue import REPLICATION_NAMES, Replication, find_replication

__all__ = ["REPLICATION_NAMES", "Replication", "find_replication"]
