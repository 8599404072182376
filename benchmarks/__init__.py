"""What `make bench` measures: each part is a function that gives figures; one table, `results.json`, the page."""
