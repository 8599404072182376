"""What `make docs` runs: writes the generated parts of the pages, builds the site, looks for addresses it would load."""
