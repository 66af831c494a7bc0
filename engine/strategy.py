"""The strategy: one YAML file, composed of each stage's own configuration."""
