"""The commands that a person types, called as a person does."""

import tomllib
from importlib import import_module

import pytest

import executor
from executor.commands import COMMANDS, HELP
from executor.settings.file import read_settings
from tests.commanding import call


def test_version() -> None:
    """The version is the package's."""
    done = call("--version")

    assert (done.returncode, done.stdout) == (0, f"dind-executor {executor.__version__}\n")


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"], []])
def test_help(args: list[str]) -> None:
    """All commands are named, and help is what one gets without any."""
    done = call(*args)

    assert (done.returncode, done.stderr) == (0, "")
    for command in (
        "local",
        "settings",
        "install",
        "reap",
        "--version",
        "config, prepare, run, cleanup",
    ):
        assert command in done.stdout


def test_settings_are_settings() -> None:
    """The documented defaults are a file that a stage takes."""
    done = call("settings")

    assert done.returncode == 0
    assert tomllib.loads(done.stdout) is not None
    assert read_settings(done.stdout, "x") == read_settings("", "x")


def test_a_command_that_is_none() -> None:
    """The sentence names it and where to look."""
    done = call("perpare")

    assert (done.returncode, done.stdout) == (2, "")
    assert "no command `perpare`" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_there(name: str) -> None:
    """The module that the table names can be called, and the help names the command."""
    assert callable(import_module(COMMANDS[name]).main)
    assert f"\n  dind-executor {name} " in HELP
