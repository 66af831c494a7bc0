"""What every stage uses: array shapes, errors, hashing, seeds, versions, progress."""
