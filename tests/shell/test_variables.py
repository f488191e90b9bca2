"""Names of variables, tried with real shells."""

import subprocess
from pathlib import Path

import pytest

from executor.shell.variables import carries


@pytest.mark.parametrize("key", ["A", "_B2", "a", "PATH_", "UIDS"])
def test_ordinary_names(programs: Path, key: str) -> None:
    """A shell hands them on."""
    assert carries(key)
    assert f"{key}=x\n" in _handed_on(programs, key)


@pytest.mark.parametrize("key", ["discovery.type", "my-name", "1ST", "a b", "Größe", ""])
def test_odd_names(key: str) -> None:
    """No shell sets them."""
    assert not carries(key)


@pytest.mark.parametrize("key", ["UID", "PPID", "SHELLOPTS", "OPTIND", "_"])
def test_names_of_the_shells_own(key: str) -> None:
    """Some shell stops at the attempt to set them, or sets them to something else."""
    assert not carries(key)


def _handed_on(programs: Path, key: str) -> str:
    environment = {"PATH": str(programs), key: "x"}
    command = [str(programs / "sh"), "-c", "exec /usr/bin/env"]
    done = subprocess.run(command, check=True, capture_output=True, env=environment, timeout=30)
    return done.stdout.decode()
