"""What the books earned, and whether that can be told from luck."""
