"""Tests of executor/runner."""
