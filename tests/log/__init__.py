"""Tests of executor/log."""
