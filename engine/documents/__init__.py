"""YAML files into frozen specifications, with every mistake told at once."""
