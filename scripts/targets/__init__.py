"""`make targets`: the demo's data through the well-used Singer targets, and what each of them made of it."""
