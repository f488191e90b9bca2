"""Tests of `executor.commands.gitlab`."""
