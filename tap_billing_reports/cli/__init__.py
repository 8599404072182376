"""The command for people."""
