"""Neural networks, one module each, all subclasses of `Network`."""
