"""Where fits run: local processes or a Ray cluster."""
