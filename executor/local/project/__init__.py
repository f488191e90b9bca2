"""The project that a pipeline runs for: its checkout, its variables, its environments."""
