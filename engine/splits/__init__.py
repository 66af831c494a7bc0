"""Which rows train, which stop training, which are out of sample, and how inputs are scaled."""
