"""Every window and seed trained once, on every core, and stitched out of sample."""
