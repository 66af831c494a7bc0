"""Training of one network: backends, loop, losses, optimizers and schedules."""
