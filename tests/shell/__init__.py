"""Tests of executor/shell."""
