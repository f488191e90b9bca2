"""Tests of executor/notation."""
