"""Reconciliations: what is held against what."""
