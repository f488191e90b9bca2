"""Tests of executor/local/unit/server."""
