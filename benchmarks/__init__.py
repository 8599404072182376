"""What `make bench` measures: one module a measurement, one table, `results.json`."""
