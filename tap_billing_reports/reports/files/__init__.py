"""The files of finished runs: downloaded, read, kept as Parquet."""
