"""The engine's client against a stub: the faults of a transport and of a daemon."""
