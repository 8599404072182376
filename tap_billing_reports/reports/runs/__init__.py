"""Runs at the vendor: decided, ordered, matched, polled."""
