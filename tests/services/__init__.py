"""Tests of executor/services."""
