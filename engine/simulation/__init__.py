"""Target weights to fills, costs and equity."""
