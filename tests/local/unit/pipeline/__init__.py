"""Tests of executor/local/unit/pipeline."""
