"""Performance metrics of books, forecast scores, significance tests and the verdict."""
