"""Tests of executor/commands."""
