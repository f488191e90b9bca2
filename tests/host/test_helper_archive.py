"""The archives of gitlab-runner's packages: which of them hold a helper image, and whose they are."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from executor.host.helper_archive import find_archives

ARCHIVE = "prebuilt-alpine-x86_64"


def written(archives: Path, *names: str) -> list[str]:
    """Write archives; return their paths."""
    for name in names:
        (archives / name).touch()
    return [str(archives / name) for name in names]


def test_either_kind_is_found(archives: Path) -> None:
    """The newer kind, an image, goes before the older one, a root filesystem."""
    paths = written(archives, f"{ARCHIVE}.docker.tar.zst", f"{ARCHIVE}.tar.xz")

    assert find_archives(ARCHIVE) == paths


def test_the_other_spelling_of_the_architecture(archives: Path) -> None:
    """An archive for `amd64` is as good as one for `x86_64`, and comes after it."""
    paths = written(archives, f"{ARCHIVE}.tar.xz", "prebuilt-alpine-amd64.tar.xz")

    assert find_archives(ARCHIVE) == paths


@pytest.mark.parametrize("name", ["prebuilt-ubuntu-x86_64.tar.xz", "prebuilt-alpine-arm64.tar.xz"])
def test_archives_of_other_images_are_left_alone(archives: Path, name: str) -> None:
    """An archive of another flavor or for another architecture does not count."""
    written(archives, name)

    assert find_archives(ARCHIVE) == []


# --- whose archives ---------------------------------------------------------------------------

FIND = "from executor.host.helper_archive import find_archives; print(*find_archives('prebuilt-a'))"


def found(program: Path, *wrapper: str) -> str:
    """Return what a process finds that comes from a program, maybe through others."""
    command = [*wrapper, sys.executable, "-c", FIND]
    done = subprocess.run(
        # Not the last command, which a shell would become.
        [program, "-c", '"$@"; exit $?', "sh", *command],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    return done.stdout.strip()


@pytest.mark.parametrize("wrapper", [(), ("sh", "-c", '"$@"; exit $?', "sh")])
def test_they_are_beside_the_runner(tmp_path: Path, wrapper: tuple[str, ...]) -> None:
    """The runner is the parent process, or that of a wrapper."""
    archive = tmp_path / "lib/gitlab-runner/helper-images/prebuilt-a.tar.xz"
    archive.parent.mkdir(parents=True)
    archive.touch()
    for name, expected in (("gitlab-runner", str(archive)), ("something", "")):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        shutil.copy("/bin/sh", program)

        assert found(program, *wrapper) == expected
