"""Known truths planted in generated markets, and whether the engine finds them."""
