"""What `make docs` runs: the generated parts of the pages, the site, and a look for what it would load."""
