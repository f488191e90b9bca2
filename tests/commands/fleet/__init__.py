"""Tests of `executor.commands.fleet`."""
