"""HTTP: one client for all vendors, with its deadlines, retries and authenticators."""
