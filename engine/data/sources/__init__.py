"""Where bars come from: one feed a file, all behind the one method of `Feed`."""
