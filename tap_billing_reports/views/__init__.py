"""The answers as plain views, from the same SQL as the dbt package in `dbt/`."""
