"""`make demo`: the emulated vendors through Meltano into DuckDB, twice, held against control totals."""
