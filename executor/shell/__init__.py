"""The shell programs that run in a job's containers."""
