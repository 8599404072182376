"""The whole job in one process: the tap's messages and rows go straight into the warehouse, and STATE comes from it."""
