"""Published results under their own protocol, repeated and set beside ours."""
