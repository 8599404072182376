"""The Singer tap: streams, messages, STATE."""
