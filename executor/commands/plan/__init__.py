"""`dind-executor plan`: what a job would get, and what decided it, without making anything."""
