"""Tests of executor/scripts."""
