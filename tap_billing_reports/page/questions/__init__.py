"""What finance asks, a module a question; each gives the answer, or None where the data have nothing to say on it."""
