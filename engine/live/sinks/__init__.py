"""Sinks: where the messages of a paper account go. No order is sent to a market."""
