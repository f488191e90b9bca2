"""Tests of executor/commands/migrate."""
