"""How long tests wait for what must come."""

LONGEST_SECONDS = 300.0
"""Only what never comes takes as long: a machine with much else to do takes its time."""
