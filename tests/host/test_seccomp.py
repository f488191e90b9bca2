"""Seccomp profiles of the runner's host."""

import json
import os
from pathlib import Path

import pytest

from executor.errors import SettingsError
from executor.host.seccomp import read_profiles


def test_seccomp_profiles_are_read_on_the_runner_host(tmp_path: Path) -> None:
    """The engine, which may be elsewhere, gets the profile; all else stays as it is."""
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW"}, indent=2))
    options = (f"seccomp={path}", f"seccomp:{path}", "seccomp=unconfined", "seccomp={}")

    profile = 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'
    assert read_profiles(options) == {options[0]: profile, options[1]: profile}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read: No such file or directory"), ("not JSON", "is not JSON")],
)
def test_a_profile_that_cannot_be_used(tmp_path: Path, content: str | None, sentence: str) -> None:
    """A profile that is missing or no JSON is a mistake in the settings that names the file."""
    path = tmp_path / "profile.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(SettingsError, match=rf"{path}.* {sentence}\."):
        read_profiles([f"seccomp={path}"])


def test_a_profile_that_never_ends_or_never_comes(tmp_path: Path) -> None:
    """Neither a device nor a pipe takes the host's memory, or makes a stage wait."""
    os.mkfifo(tmp_path / "pipe")

    for path in ("/dev/zero", str(tmp_path / "pipe")):
        with pytest.raises(SettingsError, match=f"{path} cannot be read: it is not a regular file"):
            read_profiles([f"seccomp={path}"])


def test_a_profile_that_is_nested_too_deeply(tmp_path: Path) -> None:
    """It is no profile."""
    path = tmp_path / "profile.json"
    path.write_text("[" * 100_000)

    with pytest.raises(SettingsError, match="is not JSON"):
        read_profiles([f"seccomp={path}"])
