"""Tests of executor/plan."""
