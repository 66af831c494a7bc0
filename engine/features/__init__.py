"""What is known at the close of each bar, and (in one file) what is to be forecast."""
