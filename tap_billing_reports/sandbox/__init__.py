"""Emulators of the vendors for the demo, the tests and users without credentials.

It needs the extra `sandbox` and imports nothing from the tap but its version.
`core.Sandbox` runs it inside a process, `server.serve` as a command of its own.
"""
