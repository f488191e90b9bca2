"""Tests of executor/local/unit."""
