"""The loader: Singer messages or typed rows into DuckDB or PostgreSQL, each row exactly once. It knows no vendor."""
