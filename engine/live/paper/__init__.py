"""Paper accounts: settings, start, the process that runs them, status, history, checks."""
