"""The rules: small pure functions from bars to what is wrong with them, one idea a file."""
