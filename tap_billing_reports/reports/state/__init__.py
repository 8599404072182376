"""What is remembered of a report between syncs."""
