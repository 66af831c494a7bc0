"""The quality gate: rules that bars must keep, what is done where they do not, named repairs."""
