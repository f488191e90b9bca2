"""Tests of executor/stages/unit."""
