"""Train, validation and test rows of each window, and the scaling of inputs."""
