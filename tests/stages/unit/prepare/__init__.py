"""Tests of executor/stages/unit/prepare."""
