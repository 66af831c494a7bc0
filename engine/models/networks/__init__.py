"""Neural networks, one file each, behind one contract."""
