"""The settings: their schemas, their validation, where they are read from."""
