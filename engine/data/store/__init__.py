"""Bars on disk: the cache, its vintages and revisions, and the lock that writers take."""
