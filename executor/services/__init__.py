"""The sidecar and the other services while a job goes on: are they up, why did they end."""
