"""What the streams of invoices and their documents are made from."""
