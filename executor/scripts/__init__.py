"""Runs one script in one standing container, and replaces the container where it was lost."""
