"""Tests of `executor.commands.register`."""
