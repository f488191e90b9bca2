"""Tests of executor/disk."""
