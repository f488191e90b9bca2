"""The look at a helper's gitlab-runner, in the shells that a helper image may have."""

import shutil
import subprocess
from pathlib import Path

import pytest

from executor.scripts.gitlab_runner import _MISSING, checked
from executor.shell import DIRECTORY

SHELLS = ["bash", "dash", "busybox"]


class Helper:
    """A directory of programs, and a shell that runs scripts with nothing else on its PATH."""

    def __init__(self, directory: Path, shell: str) -> None:
        self.directory = directory
        self.programs = directory / "programs"
        self.programs.mkdir()
        for name in ("mkdir", "ln"):
            (self.programs / name).symlink_to(shutil.which(name) or name)
        self._shell = ["busybox", "sh"] if shell == "busybox" else [shell]

    def has(self, name: str, said: str, code: int = 0) -> None:
        """Add a program that says what its version is."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\necho '{said}'\nexit {code}\n")
        path.chmod(0o755)

    def run(self, script: str, version: str = "17.9.0") -> subprocess.CompletedProcess[str]:
        """Run a script that calls gitlab-runner."""
        look = checked(script.encode(), version).decode()
        shell = shutil.which(self._shell[0])
        assert shell
        return subprocess.run(
            [shell, *self._shell[1:]],
            input=look.replace(DIRECTORY, str(self.directory / "run")),
            env={"PATH": str(self.programs), "HOME": str(self.directory)},
            capture_output=True,
            check=False,
            text=True,
            timeout=30,
        )


@pytest.fixture(params=SHELLS)
def helper(request: pytest.FixtureRequest, tmp_path: Path) -> Helper:
    """A helper container without a gitlab-runner."""
    return Helper(tmp_path, request.param)


def test_the_same_version_is_no_matter(helper: Helper) -> None:
    """The script runs, and nothing is said."""
    helper.has("gitlab-runner", "Version:      17.9.0\nGit revision: c4cbe9dd")

    done = helper.run("gitlab-runner --version; exit 3")

    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("Version:      17.9.0\n")


def test_the_helpers_own_name_is_found(helper: Helper) -> None:
    """GitLab's helper image calls the program gitlab-runner-helper."""
    helper.has("gitlab-runner-helper", "Version:      17.9.0")

    done = helper.run("gitlab-runner artifacts-uploader")

    assert (done.returncode, done.stdout, done.stderr) == (0, "Version:      17.9.0\n", "")


@pytest.mark.parametrize("broken", [False, True])
def test_without_one_the_script_does_not_run(helper: Helper, *, broken: bool) -> None:
    """The job fails where there is no gitlab-runner, and where it does not start."""
    if broken:
        helper.has("gitlab-runner", "", code=1)

    done = helper.run("echo never")

    assert (done.returncode, done.stdout) == (_MISSING, "")


@pytest.mark.parametrize("other", ["16.11.3", "17.9.1", "0.0.0 (a stand-in)"])
def test_another_version_is_told(helper: Helper, other: str) -> None:
    """Its options may differ; what comes of it is not ours to know."""
    helper.has("gitlab-runner", f"Version:      {other}\nGit revision: x")

    done = helper.run("exit 0")

    assert done.returncode == 0
    assert done.stderr.startswith(
        f"WARNING: The helper image has gitlab-runner {other.split(maxsplit=1)[0]}, but the runner is 17.9.0:"
    )
    assert done.stderr.count("\n") == 1
    assert "`[docker] helper_image`" in done.stderr


@pytest.mark.parametrize("version", ["", "development version", "main"])
def test_a_runner_without_a_version_is_not_compared(helper: Helper, version: str) -> None:
    """One that somebody built has no image of its own."""
    helper.has("gitlab-runner", "Version:      17.9.0")

    assert helper.run("exit 0", version).stderr == ""
