"""The pipeline file: its language, and the jobs that it describes."""
