"""`make pictures`: one page of charts and tables, made by SQL from the DuckDB file that the demo loaded."""
