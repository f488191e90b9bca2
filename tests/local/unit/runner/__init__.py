"""Tests of executor/local/unit/runner."""
