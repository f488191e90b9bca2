"""Tests of executor/local/unit/project."""
