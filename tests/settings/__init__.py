"""Tests of executor/settings."""
